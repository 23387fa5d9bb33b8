import { defaultToolLimits, type ToolOutput } from '@spanwise/tool-kit/contract';
import { expect, test } from 'vitest';
import { probe } from '../../tests/probe.ts';
import { toolCall } from '../../tests/tool-calls.ts';
import { finishOutput } from './finish-output.ts';

const call = toolCall('probe', {});
const tool = {
  ...probe({ effect: 'READ_ONLY', execute: async () => ({ text: '' }) }),
  limits: { ...defaultToolLimits, outputLines: 3, outputBytes: 20 },
};

async function finished(output: ToolOutput, path: string | undefined = '/kept') {
  const kept: string[] = [];
  const keep = async (text: string) => {
    kept.push(text);
    return path;
  };
  return { kept, ...(await finishOutput(keep, call, tool, output)) };
}

test('shows what is within the limits as it is, and keeps nothing', async () => {
  expect(await finished({ text: 'fine', structured: { a: 1 } })).toEqual({
    kept: [],
    errorType: '',
    result: {
      callId: call.callId,
      outcome: 'ok',
      text: 'fine',
      structuredJson: '{"a":1}',
      code: '',
      truncated: undefined,
    },
  });
});

test('keeps the whole of what is over them, and says where', async () => {
  const { kept, result } = await finished({ text: 'x'.repeat(30), notice: '[Read on with offset 3.]' });
  expect(kept).toEqual(['x'.repeat(30)]);
  expect(result.text.split('\n')).toEqual([
    'x'.repeat(20),
    '[Output cut: 1 of 1 lines, 20 of 30 bytes are shown. All of it is in /kept: read or grep there.]',
    '[Read on with offset 3.]',
  ]);
  expect(result.truncated).toEqual({ shownBytes: 20, totalBytes: 30, fullPath: '/kept' });
});

test('says so when the whole could not be kept', async () => {
  const keep = async () => undefined;
  const { result } = await finishOutput(keep, call, tool, { text: 'a\nb\nc\nd' });
  expect(result.text).toBe(
    'a\nb\nc\n[Output cut: 3 of 4 lines, 5 of 7 bytes are shown. Ask for less, or for a narrower part.]',
  );
  expect(result.truncated?.fullPath).toBe('');
});

test('tells a failure that the tool reports as one', async () => {
  const failed = await finished({ text: 'exit code 1', isError: true });
  expect(failed).toMatchObject({ errorType: 'TOOL_FAILED', result: { outcome: 'error', code: 'TOOL_FAILED' } });
  const coded = await finished({ text: 'gone', isError: true, code: 'REMOTE_GONE' });
  expect(coded).toMatchObject({ errorType: 'REMOTE_GONE', result: { outcome: 'error', code: 'REMOTE_GONE' } });
});

test('takes out colours and titles of terminals, halves of surrogate pairs, and secrets', async () => {
  const text = async (from: string) => (await finished({ text: from })).result.text;
  expect(await text('\u001b[1;31mred\u001b[0m \u001b]0;title\u0007x\u001b(B\ud83d')).toBe('red x\ufffd');
  expect(await text('\u001b]kept\nand \u0007')).toBe('kept\nand \u0007');
  expect(await text('ab://me:secret@b')).toBe('ab://[redacted]@b');
  const { result } = await finished({ text: 'x', structured: 'ab://me:secret@b', notice: 'ab://me:secret@c' });
  expect(result).toMatchObject({ structuredJson: '"ab://[redacted]@b"', text: 'x\nab://[redacted]@c' });
});

test('never answers nothing, and leaves out structured output that is over the limit', async () => {
  expect((await finished({ text: '' })).result.text).toBe('[No output.]');
  expect((await finished({ text: 'x', structured: 'y'.repeat(30) })).result.structuredJson).toBe('');
});
