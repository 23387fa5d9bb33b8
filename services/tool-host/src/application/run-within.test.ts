import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runWithin } from './run-within.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const never = () => new Promise<never>(() => undefined);
const signal = () => new AbortController().signal;

test('answers what the work answers, and then ends whatever the work left behind', async () => {
  let left: AbortSignal | undefined;
  const work = async (workSignal: AbortSignal) => {
    left = workSignal;
    return 'done';
  };
  await expect(runWithin(1000, work, signal())).resolves.toBe('done');
  expect(left?.aborted).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('stops work that does not end in time, though it does not listen', async () => {
  const running = runWithin(1500, never, signal());
  const failure = running.catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(1500);
  await expect(failure).resolves.toMatchObject({
    reason: 'DEADLINE_EXCEEDED',
    message: expect.stringContaining('did not end within 1.5 s'),
  });
});

test('does not begin work that has no time', async () => {
  const work = vi.fn<() => Promise<void>>();
  await expect(runWithin(0, work, signal())).rejects.toMatchObject({ kind: 'deadline' });
  expect(work).not.toHaveBeenCalled();
});

test('stops with the reason of the caller', async () => {
  const caller = new AbortController();
  const gone = new Error('the caller is gone');
  const running = runWithin(1000, never, caller.signal);
  caller.abort(gone);
  await expect(running).rejects.toBe(gone);
  await expect(runWithin(1000, never, caller.signal)).rejects.toBe(gone);
  expect(vi.getTimerCount()).toBe(0);
});

test('passes on what the work throws, also before its first await', async () => {
  const broken = new Error('broken');
  const work = (): Promise<never> => {
    throw broken;
  };
  await expect(runWithin(1000, work, signal())).rejects.toBe(broken);
});
