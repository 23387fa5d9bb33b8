import type { Model, Take } from './checker.ts';
import { awake, driverOf, forget, hold, newDriver, type World } from './driver.ts';
import { decideStep, finishStep, show, transact } from './driver-steps.ts';
import { brokenDatabase, isQuiet } from './invariants.ts';
import { claimSteps, faultSteps, outsideActions } from './ownership.ts';
import { append, emptyDatabase, type Guards, has, runOf, start } from './protocol.ts';

const calls = [0, 1];

/** What an executor, which lives and dies with its driver here, has sent. */
interface Feed {
  stage: string;
  /** Sent and not appended yet, in order. */
  frames: string[];
  /** Calls whose result it has sent or found in the log. */
  told: boolean[];
}

interface StreamWorld extends World {
  feeds: Feed[];
  fence: number;
  ledger: ('' | 'STARTED' | 'DONE')[];
}

/**
 * A turn with two parallel calls on one stream: a checkpoint with the message, the results as they come, a checkpoint with
 * the context rows, the answer; acks; take-overs in between. Not modelled: deltas, tool-host's crashes, cancel.
 */
export function streamOrderModel(guards: Guards, faults: number): Model<StreamWorld> {
  return {
    initial: {
      db: emptyDatabase(1),
      drivers: [newDriver(), newDriver()],
      faults,
      broken: '',
      feeds: [newFeed(), newFeed()],
      fence: 0,
      ledger: ['', ''],
    },
    steps(state, take) {
      if (runOf(state.db, 0).status === 'ABSENT') {
        take('start', 0, (next) => {
          start(next.db, guards, 0, 0);
          hold(next, 0, 'dispatch');
        });
      }
      for (const d of awake(state)) {
        driverSteps(state, guards, take, d);
        executorSteps(state, take, d);
      }
      faultSteps(state, take, 'any');
      claimSteps(state, guards, take, () => 'dispatch');
    },
    broken: (state) => brokenDatabase(state.db) || state.broken || brokenTurn(state),
    outside: outsideActions,
    isSettled: ({ db }) => isQuiet(db),
    // A driver that holds nothing has no stream.
    canonicalise(state) {
      state.feeds.forEach((feed, d) => driverOf(state, d).stage !== 'serve' && Object.assign(feed, newFeed()));
    },
  };
}

function newFeed(): Feed {
  return { stage: '', frames: [], told: [false, false] };
}

function feedOf(state: StreamWorld, d: number): Feed {
  return state.feeds[d] ?? newFeed();
}

function driverSteps(state: StreamWorld, guards: Guards, take: Take<StreamWorld>, d: number): void {
  const { stage, epoch, isUnsure } = driverOf(state, d);
  const { frames } = feedOf(state, d);
  if (stage === 'dispatch') {
    take('dispatch', d, (next) => {
      if (next.fence > epoch) {
        return forget(driverOf(next, d));
      }
      next.fence = epoch;
      driverOf(next, d).stage = has(next.db, 0, 'answer') ? 'decide' : 'serve';
      Object.assign(feedOf(next, d), continued(next, guards));
    });
  } else if (stage === 'serve') {
    const checkpoint = frames.findIndex((frame) => frame.startsWith('checkpoint'));
    const overtakes = !guards.checkpointBehindStream && checkpoint > 0 && !isUnsure;
    for (const place of [...(frames.length > 0 ? [0] : []), ...(overtakes ? [checkpoint] : [])]) {
      appendFrame(state, guards, take, d, place);
    }
  } else if (stage === 'decide') {
    decideStep(state, guards, take, d, 'finishing');
  } else if (stage === 'finishing') {
    finishStep(state, guards, take, d, { status: 'COMPLETED' });
  }
}

/** Where an executor begins that gets this log as its history. */
function continued({ db }: StreamWorld, guards: Guards): Partial<Feed> {
  if (!has(db, 0, 'checkpoint-calls')) {
    return { stage: 'ask' };
  }
  if (has(db, 0, 'checkpoint-results')) {
    return { stage: 'answer' };
  }
  return { stage: 'calls', told: calls.map((call) => guards.answersOnlyUnanswered && has(db, 0, `result-${call}`)) };
}

/** Appends a frame and acks it. */
function appendFrame(state: StreamWorld, guards: Guards, take: Take<StreamWorld>, d: number, place: number): void {
  const { epoch, expected } = driverOf(state, d);
  const frame = feedOf(state, d).frames[place] ?? '';
  const write = { run: 0, epoch, expected, events: [frame] };
  transact(
    state,
    take,
    d,
    `append ${frame}`,
    (next) => append(next.db, guards, write),
    (next, driver) => {
      show(next, write);
      driver.expected += 1;
      driver.stage = frame === 'answer' ? 'decide' : 'serve';
      const feed = feedOf(next, d);
      feed.frames.splice(place, 1);
      feed.stage = { 'checkpoint-calls': 'calls', 'checkpoint-results': 'answer' }[frame] ?? feed.stage;
    },
  );
}

function executorSteps(state: StreamWorld, take: Take<StreamWorld>, d: number): void {
  if (driverOf(state, d).stage !== 'serve') {
    return;
  }
  const { epoch } = driverOf(state, d);
  const { stage, told } = feedOf(state, d);
  const send = (frame: string, then: string) =>
    take('send', frame, (next) => {
      feedOf(next, d).frames.push(frame);
      feedOf(next, d).stage = then;
    });
  if (stage === 'ask') {
    send('checkpoint-calls', 'await the ack');
  } else if (stage === 'answer') {
    send('answer', 'done');
  } else if (stage === 'calls' && told.every(Boolean)) {
    send('checkpoint-results', 'await the ack');
  } else if (stage === 'calls') {
    for (const call of calls) {
      if (told[call] === true) {
        continue;
      }
      if (state.ledger[call] === '' && epoch >= state.fence) {
        take('begin', `call ${call}`, (next) => {
          next.ledger[call] = 'STARTED';
        });
      } else if (state.ledger[call] === 'STARTED') {
        take('record', `call ${call}`, (next) => {
          next.ledger[call] = 'DONE';
        });
      } else if (state.ledger[call] === 'DONE') {
        take('send', `result-${call}`, (next) => {
          feedOf(next, d).frames.push(`result-${call}`);
          feedOf(next, d).told[call] = true;
        });
      }
    }
  }
}

function brokenTurn({ db, ledger }: StreamWorld): string | undefined {
  const seen = (what: string) => db.log.findIndex((entry) => entry.endsWith(` ${what}`));
  if (calls.some((call) => ledger[call] !== '' && seen('checkpoint-calls') === -1)) {
    return 'I12 a call began before its message was committed';
  }
  for (const call of calls) {
    const result = seen(`result-${call}`);
    const context = seen('checkpoint-results');
    if (context !== -1 && (result === -1 || result > context)) {
      return 'a checkpoint is in the log without what was streamed before it';
    }
    if (isQuiet(db) && context !== -1 && result === -1) {
      return 'a committed call has no result in a run that is over';
    }
  }
  return undefined;
}
