import { brokenCancel, type CancelWorld, cancelSteps } from './cancel.ts';
import type { Model, Take } from './checker.ts';
import { driverOf, hold, newDriver } from './driver.ts';
import { decideStep, finishStep, show } from './driver-steps.ts';
import { brokenDatabase, isQuiet } from './invariants.ts';
import { outsideActions } from './ownership.ts';
import { append, claim, emptyDatabase, type Guards, has, runOf, start } from './protocol.ts';
import { callOf, fence, type HostedWorld, lookUp, newToolHost, owedResult, toolHostSteps } from './tool-host.ts';

/** One dispatch to one executor, with the frames that the driver has not read yet. */
interface Stream {
  epoch: number;
  attempt: number;
  frames: string[];
  /** What the executor does next. */
  stage: string;
  /** The connection is lost. The executor goes on until it notices. */
  isCut: boolean;
}

interface ExecutorsWorld extends HostedWorld, CancelWorld {
  streams: Stream[];
}

const toolClass = 'NON_REPEATABLE';

/**
 * One driver that dispatches its run again when the stream is cut, while the executor before still sends frames and tool
 * calls. Not modelled: crashes of the driver (core has them), several calls (stream order has them).
 */
export function executorsModel(guards: Guards, faults: number): Model<ExecutorsWorld> {
  return {
    initial: {
      db: emptyDatabase(1),
      drivers: [newDriver()],
      faults,
      broken: '',
      host: newToolHost(),
      cancel: '',
      streams: [],
    },
    steps(state, take) {
      if (runOf(state.db, 0).status === 'ABSENT') {
        take('start', 0, (next) => {
          start(next.db, guards, 0, 0);
          hold(next, 0, 'dispatch');
        });
      }
      driverSteps(state, guards, take);
      for (const [index, stream] of state.streams.entries()) {
        executorSteps(state, guards, take, stream, index);
        streamSteps(state, guards, take, stream, index);
      }
      toolHostSteps(state, guards, take, toolClass);
      cancelSteps(state, guards, take);
    },
    broken: (state) => brokenDatabase(state.db) || state.broken || brokenCancel(state) || brokenCall(state),
    outside: outsideActions,
    isSettled: ({ db }) => isQuiet(db),
  };
}

function driverSteps(state: ExecutorsWorld, guards: Guards, take: Take<ExecutorsWorld>): void {
  const { stage, epoch, isUnsure } = driverOf(state, 0);
  const { cancel, status } = runOf(state.db, 0);
  const current = state.streams.at(-1);
  if (cancel && status === 'RUNNING' && !isUnsure && ['dispatch', 'serve', 'decide'].includes(stage)) {
    take('see the flag', 0, (next) => {
      driverOf(next, 0).stage = 'stop';
    });
  }
  switch (stage) {
    case 'dispatch':
      take('dispatch', state.streams.length + 1, (next) => {
        fence(next.host, epoch, false);
        const attempt = next.streams.length + 1;
        next.streams.push({ epoch, attempt, frames: [], stage: executorStage(next), isCut: false });
        driverOf(next, 0).stage = 'serve';
      });
      break;
    case 'serve':
      if (current?.isCut === true) {
        take('dispatch again', 0, (next) => {
          if (guards.everyDispatchHasItsEpoch) {
            claim(next.db, guards, 0, 0, next.db.epoch);
            hold(next, 0, 'dispatch');
          }
          driverOf(next, 0).stage = has(next.db, 0, 'answer') ? 'decide' : 'dispatch';
        });
        if (!guards.onlyTheFlagCancels) {
          finishStep(state, guards, take, 0, { status: 'CANCELLED', events: owedResult(state) });
        }
      }
      break;
    case 'decide':
      decideStep(state, guards, take, 0, 'finishing');
      break;
    case 'finishing':
      finishStep(state, guards, take, 0, { status: 'COMPLETED' });
      break;
    case 'stop':
      take('stop', 0, (next) => {
        fence(next.host, epoch, true);
        driverOf(next, 0).stage = 'stopped';
      });
      break;
    case 'stopped':
      finishStep(state, guards, take, 0, { status: 'CANCELLED', events: owedResult(state) });
      break;
    default:
  }
}

function executorStage({ db }: ExecutorsWorld): string {
  return has(db, 0, 'message') ? 'look' : 'ask';
}

function executorSteps(
  state: ExecutorsWorld,
  guards: Guards,
  take: Take<ExecutorsWorld>,
  { epoch, attempt, stage, isCut }: Stream,
  index: number,
): void {
  const { calls, row, isAlive } = state.host;
  const call = callOf(epoch, attempt);
  const go = (action: string, change: (next: ExecutorsWorld, stream: Stream) => void) =>
    take(action, `attempt ${attempt}`, (next) => {
      const stream = next.streams[index];
      return stream !== undefined && change(next, stream);
    });
  // What is sent on a stream that is cut is lost.
  const send = (stream: Stream, frame: string, then: string) => {
    Object.assign(stream, { frames: isCut ? stream.frames : [...stream.frames, frame], stage: then });
  };
  if (isCut && stage !== 'aborted') {
    go('abort', (_next, stream) => {
      stream.stage = 'aborted';
    });
  }
  if (stage === 'ask') {
    go('send the message', (_next, stream) => send(stream, 'message', 'await the ack'));
  } else if (stage === 'call') {
    go('call', (next, stream) => {
      next.host.calls.push(call);
      stream.stage = 'await';
    });
  } else if (stage === 'look' || (stage === 'await' && !calls.includes(call) && !(row === 'STARTED' && isAlive))) {
    go('look up', (next, stream) => {
      stream.stage = lookUp(next.host, guards, toolClass, attempt);
    });
  } else if (stage === 'result') {
    go('send the result', (_next, stream) => send(stream, `result:${row},answer`, 'done'));
  }
}

/** The driver reads frames also of a stream that was cut after they came: the epoch of their dispatch goes with them. */
function streamSteps(
  state: ExecutorsWorld,
  guards: Guards,
  take: Take<ExecutorsWorld>,
  { frames, epoch, isCut }: Stream,
  index: number,
): void {
  const { stage, expected } = driverOf(state, 0);
  const [frame] = frames;
  if (frame !== undefined && (stage === 'serve' || stage === 'dispatch')) {
    take('append a frame', `of epoch ${epoch}: ${frame}`, (next) => {
      const stream = next.streams[index];
      const write = { run: 0, epoch, expected, events: frame.split(',') };
      if (append(next.db, guards, write) !== 'committed' || stream === undefined) {
        next.streams[index]?.frames.splice(0);
        return;
      }
      show(next, write);
      stream.frames.shift();
      stream.stage = stream.stage === 'await the ack' && !isCut ? 'call' : stream.stage;
      driverOf(next, 0).expected += write.events.length;
      driverOf(next, 0).stage = has(next.db, 0, 'answer') ? 'decide' : stage;
    });
  }
  if (state.faults > 0 && !isCut) {
    for (const isLost of [true, false]) {
      take(isLost ? 'cut and lose' : 'cut', `stream ${index}`, (next) => {
        next.faults -= 1;
        Object.assign(next.streams[index] ?? {}, { isCut: true, ...(isLost ? { frames: [] } : {}) });
      });
    }
  }
}

function brokenCall({ db, host }: ExecutorsWorld): string | undefined {
  if (has(db, 0, 'result:NOT_STARTED') && host.row !== '') {
    return 'a result says that a call did not run that did';
  }
  const isAnswered = ['NOT_STARTED', 'DONE', 'UNKNOWN'].some((outcome) => has(db, 0, `result:${outcome}`));
  return isQuiet(db) && has(db, 0, 'message') && !isAnswered
    ? 'a committed call has no result in a run that is over'
    : undefined;
}
