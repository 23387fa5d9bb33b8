import { expect, test } from 'vitest';
import { bwrapArguments, outerArguments } from './bwrap-arguments.ts';

const namespace = {
  system: { bound: ['/usr'], links: [{ path: '/bin', target: 'usr/bin' }] },
  bindings: [
    { source: '/private/mount-0', path: '/workspace', isReadOnly: false },
    { source: '/private/mount-1', path: '/workspace/--inputs', isReadOnly: true },
  ],
  hiddenFolders: ['/usr/src/app'],
  cwd: '/workspace',
  temporaryBytes: 1024,
};

test('shuts everything that is not named', () => {
  const all = bwrapArguments(namespace);
  expect(all.slice(0, 8)).toEqual([
    ...['--unshare-all', '--unshare-user', '--disable-userns', '--die-with-parent', '--new-session'],
    ...['--cap-drop', 'ALL', '--clearenv'],
  ]);
  expect(all).not.toContain('--share-net');
  expect(all.slice(-6)).toEqual(['--remount-ro', '/dev', '--remount-ro', '/', '--chdir', '/workspace']);
  expect(outerArguments).toContain('--die-with-parent');
});

test('binds outer folders before those in them, and covers what is hidden', () => {
  const text = bwrapArguments(namespace).join(' ');
  expect(text).toContain('--ro-bind /usr /usr --symlink usr/bin /bin --tmpfs /usr/src/app --remount-ro /usr/src/app');
  expect(text).toContain('--perms 1777 --size 1024 --tmpfs /tmp');
  expect(text).toContain(
    '--bind /private/mount-0 /workspace --ro-bind /private/mount-1 /workspace/--inputs --remount-ro /dev',
  );
});
