import { expect, test } from 'vitest';
import { InMemoryFiles } from '../../../tests/in-memory-files.ts';
import { toolCall, turnSpan } from '../../../tests/tool-calls.ts';
import { readLines } from './read-lines.ts';

const window = { firstLine: 1, maxLines: 10, maxBytes: 50_000 };

test('fails rather than mix two versions of a file', async () => {
  const memory = new InMemoryFiles();
  memory.put('/workspace/a', 'x'.repeat(3_000_000));
  const { caller, sessionId, runId: viewId } = toolCall('read', {});
  const change = { epoch: 1, idempotencyKey: '' };
  const { signal } = new AbortController();
  const files = memory.bind({ caller, sessionId, viewId, span: turnSpan, ...change, signal });
  const reading = readLines(files, '/workspace/a', window, () => memory.put('/workspace/a', 'y'.repeat(3_000_000)));
  await expect(reading).rejects.toMatchObject({ reason: 'ETAG_MISMATCH' });
});
