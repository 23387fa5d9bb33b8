import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'vitest';

const lookMs = 5;

/** Time until the next look. */
export function soon(): Promise<void> {
  return delay(lookMs);
}

/** So many turns of the event loop: another moment of what goes on in this process. */
export async function afterTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    await nextTurn();
  }
}

/** Looks until something is so, for at most `maxMs`; whether it came. */
export async function comes(isSo: () => boolean | Promise<boolean>, maxMs: number): Promise<boolean> {
  for (const untilMs = performance.now() + maxMs; performance.now() < untilMs; await soon()) {
    if (await isSo()) {
      return true;
    }
  }
  return isSo();
}

/** Looks until something is so, and fails when it is not within `maxMs`. */
export async function mustCome(
  what: () => string,
  isSo: () => boolean | Promise<boolean>,
  maxMs: number,
): Promise<void> {
  expect(await comes(isSo, maxMs), `it has not come that ${what()}`).toBe(true);
}
