import { expect, test } from 'vitest';
import { probe } from '../../tests/probe.ts';
import { ToolBench, toolCall } from '../../tests/tool-calls.ts';

test('keeps a long output where its tool reads it and can not change it, however the path is spelled', async () => {
  const path = '/tool-results/call-1.txt';
  const text = 'a line\n'.repeat(3000);
  const refused: unknown[] = [];
  const tool = probe({
    effect: 'NON_REPEATABLE',
    async execute({ files }) {
      const data = new Uint8Array([1]);
      const changes = [
        () => files.write('/tool-results/x', data, { type: 'create-only' }),
        () => files.write('//./tool-results/x', data, { type: 'create-only' }),
        () => files.edit(path, { oldText: 'a', newText: 'b', replacesAll: true, etag: undefined }),
        () => files.makeDirectory('/tool-results/d'),
        () => files.delete('/tool-results', { isRecursive: true, etag: undefined }),
        () => files.move('/workspace/a', '/tool-results/a'),
        () => files.move('/tool-results/./a', '/workspace/a'),
      ];
      for (const change of changes) {
        await change().catch(({ reason, facts }: { reason: string; facts: object }) => refused.push([reason, facts]));
      }
      await files.write('/tool-results-of-mine', data, { type: 'create-only' });
      return { text };
    },
  });
  const bench = new ToolBench([tool]);
  const { callId } = toolCall('probe', {});
  const { result } = await bench.call('probe', {});
  const refusal = (at: string) => ['MOUNT_READ_ONLY', { path: at, mount: '/tool-results' }];
  expect(refused).toEqual(
    [
      '/tool-results/x',
      '//./tool-results/x',
      path,
      '/tool-results/d',
      '/tool-results',
      '/tool-results/a',
      '/tool-results/./a',
    ].map(refusal),
  );
  expect(result.truncated?.fullPath).toBe(`/tool-results/${callId}.txt`);
  expect(bench.files.text(`/tool-results/${callId}.txt`)).toBe(text);
  expect(bench.files.text('/tool-results-of-mine')).toBe('\u0001');
});
