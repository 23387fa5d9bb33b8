import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Conditions, Direction } from './link-conditions.ts';

/** Joins the two sockets of a connection until either end is gone. */
export function joinSockets(inbound: Socket, outbound: Socket, conditions: Conditions): void {
  inbound.setNoDelay(true);
  loseAnswers(inbound, outbound, conditions);
  pipe(inbound, outbound, 'forth', conditions);
  pipe(outbound, inbound, 'back', conditions);
}

/** The request has its effect, for the backend answers it; whoever asked learns only that the connection is gone. */
function loseAnswers(inbound: Socket, outbound: Socket, conditions: Conditions): void {
  inbound.on('data', (request: Buffer) => {
    if (conditions.losesAnswerTo(request)) {
      outbound.prependOnceListener('data', () => inbound.resetAndDestroy());
    }
  });
}

/** One direction: in order, with backpressure, each chunk when the conditions let it. */
function pipe(from: Socket, to: Socket, direction: Direction, conditions: Conditions): void {
  let queue: Promise<void> = Promise.resolve();
  let isIdle = true;
  const isClear = () =>
    isIdle && conditions.delayMs === 0 && conditions.sliceBytes === 0 && !conditions.isHeld(direction);
  const inTurn = (work: () => Promise<void> | void) => {
    isIdle = false;
    const mine = queue.then(work, work);
    queue = mine;
    void mine.then(() => {
      isIdle ||= queue === mine;
    });
  };
  from.on('data', (chunk: Buffer) => {
    const isPassed = isClear();
    if (isPassed && to.write(chunk)) {
      return;
    }
    from.pause();
    inTurn(async () => {
      await (isPassed ? untilDrained(to) : passLate(chunk, to, direction, conditions));
      from.resume();
    });
  });
  from.on('end', () =>
    inTurn(async () => {
      await conditions.untilPassing(direction);
      to.end();
    }),
  );
  from.on('close', (hadError) =>
    inTurn(async () => {
      await conditions.untilPassing(direction);
      if (hadError || from.readableAborted) {
        to.resetAndDestroy();
      } else {
        to.destroySoon();
      }
    }),
  );
  from.resume();
}

/** Resolves when there is room for more, or nobody who would take it. */
function untilDrained(to: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      to.off('drain', done).off('close', done);
      resolve();
    };
    if (to.destroyed || !to.writableNeedDrain) {
      resolve();
    } else {
      to.on('drain', done).on('close', done);
    }
  });
}

async function passLate(chunk: Buffer, to: Socket, direction: Direction, conditions: Conditions): Promise<void> {
  if (conditions.delayMs > 0) {
    await delay(conditions.delayMs);
  }
  const size = conditions.sliceBytes > 0 ? conditions.sliceBytes : chunk.length;
  for (let from = 0; from < chunk.length && !to.destroyed; from += size) {
    await conditions.untilPassing(direction);
    to.write(chunk.subarray(from, from + size));
    if (size < chunk.length) {
      await delay(1);
    }
  }
}
