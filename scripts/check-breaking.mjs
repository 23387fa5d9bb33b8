// Fails when the protos break callers of what is on the main branch. Where there is no such branch to compare with (a
// shallow or detached checkout, or a first commit), it compares with the parent commit, and says so.
import { spawnSync } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

function git(...args) {
  return spawnSync('git', args, { cwd: root, encoding: 'utf8' });
}

function hasProtos(ref) {
  return git('cat-file', '-e', `${ref}:proto/buf.yaml`).status === 0;
}

const head = git('rev-parse', 'HEAD').stdout.trim();
const isMain = (ref) => git('rev-parse', ref).stdout.trim() === head;
const candidates = ['origin/main', 'main', 'HEAD~1'].filter((ref) => hasProtos(ref));
const ref = candidates.find((candidate) => !isMain(candidate)) ?? candidates[0];
if (ref === undefined) {
  console.log('no earlier protos to compare with');
} else {
  console.log(`compared with ${ref}`);
  const commit = git('rev-parse', ref).stdout.trim();
  const run = spawnSync('buf', ['breaking', 'proto', '--against', `.git#ref=${commit},subdir=proto`], {
    cwd: root,
    stdio: 'inherit',
  });
  process.exitCode = run.status ?? 1;
}
