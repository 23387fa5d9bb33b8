import type { Take } from './checker.ts';
import type { World } from './driver.ts';
import { type Guards, has } from './protocol.ts';

export type ToolClass = 'IDEMPOTENT' | 'NON_REPEATABLE';

/** A tool-host with its fence and its ledger, which has one row: that of the one call of the one run. */
export interface ToolHost {
  fence: number;
  /** Highest epoch that was stopped. */
  stopped: number;
  /** Calls that are on their way, each its {@link callOf}. */
  calls: number[];
  row: '' | 'STARTED' | 'DONE' | 'UNKNOWN';
  /** Whether the instance lives that executes the call. */
  isAlive: boolean;
  hasEffect: boolean;
  effects: number;
  /** For the checks: highest attempt that has looked at the ledger or begun the call. */
  acted: number;
}

export interface HostedWorld extends World {
  host: ToolHost;
}

export function newToolHost(): ToolHost {
  return { fence: 0, stopped: 0, calls: [], row: '', isAlive: false, hasEffect: false, effects: 0, acted: 0 };
}

/** A call on its way: its epoch, and its attempt, which tells dispatches apart for the checks even within an epoch. */
export function callOf(epoch: number, attempt: number): number {
  return epoch * 10 + attempt;
}

/** Receives, executes, records and crashes. */
export function toolHostSteps<State extends HostedWorld>(
  state: State,
  guards: Guards,
  take: Take<State>,
  toolClass: ToolClass,
): void {
  const { host } = state;
  host.calls.forEach((call, index) => {
    if (host.calls.indexOf(call) === index) {
      take('receive a call', `of epoch ${Math.floor(call / 10)}`, (next) => {
        next.host.calls.splice(index, 1);
        receive(next, guards, toolClass, Math.floor(call / 10), call % 10);
      });
    }
  });
  const isExecuting = host.row === 'STARTED' && host.isAlive;
  if (isExecuting && !host.hasEffect) {
    take('execute', toolClass, (next) => {
      const isDouble = toolClass === 'NON_REPEATABLE' || !guards.passesIdempotencyKey;
      next.host.hasEffect = true;
      next.host.effects += isDouble || host.effects === 0 ? 1 : 0;
      if (next.host.effects > 1) {
        next.broken = 'I11 a call had its effect twice';
      }
    });
  }
  if (isExecuting && host.hasEffect) {
    take('record', 'DONE', (next) => {
      next.host.row = 'DONE';
    });
  }
  if (isExecuting && state.faults > 0) {
    take('crash', 'tool-host', (next) => {
      next.faults -= 1;
      next.host.isAlive = false;
    });
  }
}

/** Begins the execution if fence and ledger allow it. */
function receive(world: HostedWorld, guards: Guards, toolClass: ToolClass, epoch: number, attempt: number): void {
  const { host, db } = world;
  const isStopped = epoch <= host.stopped;
  const isRerun = host.row === 'STARTED' && !host.isAlive;
  const mayRerun = toolClass === 'IDEMPOTENT' || !guards.nonRepeatableAtMostOnce;
  if (epoch < host.fence || (isStopped && guards.stopRefusesLateCalls) || !(host.row === '' || (isRerun && mayRerun))) {
    return;
  }
  if (isStopped) {
    world.broken = 'a call began after the stop was answered';
  } else if (attempt < host.acted) {
    world.broken = 'I12 a call of an earlier attempt began after a later one had acted';
  } else if (!has(db, 0, 'message')) {
    world.broken = 'I12 a call began before its message was committed';
  }
  Object.assign(host, { row: 'STARTED', isAlive: true, hasEffect: false, acted: Math.max(host.acted, attempt) });
}

/** Fence: whether it was raised. With `stop` it ends the execution; what it may have done is unknown. */
export function fence(host: ToolHost, epoch: number, stop: boolean): boolean {
  if (epoch < host.fence) {
    return false;
  }
  host.fence = epoch;
  if (stop) {
    host.stopped = epoch;
    host.row = host.row === 'STARTED' ? 'UNKNOWN' : host.row;
  }
  return true;
}

/** GetExecution by an attempt: what it does next about its call. */
export function lookUp(host: ToolHost, guards: Guards, toolClass: ToolClass, attempt: number): string {
  host.acted = Math.max(host.acted, attempt);
  if (host.row === '') {
    return 'call';
  }
  if (host.row === 'STARTED' && host.isAlive) {
    return 'await';
  }
  if (host.row === 'STARTED' && (toolClass === 'IDEMPOTENT' || !guards.nonRepeatableAtMostOnce)) {
    return 'call';
  }
  if (host.row === 'STARTED') {
    host.row = 'UNKNOWN';
  }
  return 'result';
}

/** The result that a cancelled run still owes its call, by what the ledger knows once all is stopped. */
export function owedResult({ db, host }: HostedWorld): string[] {
  return has(db, 0, 'message') && !has(db, 0, 'answer') ? [`result:${host.row || 'NOT_STARTED'}`] : [];
}
