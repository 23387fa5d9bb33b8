import { BusyPolicy } from '@spanwise/contracts/spanwise/session/v1/session';
import fc from 'fast-check';
import type { Command } from './command.ts';
import { Answer, Cancel, Delete } from './end-commands.ts';
import { Follow } from './follow-commands.ts';
import { turns } from './plan.ts';
import { CancelWhileAnswered, CancelWhileItGoesOn } from './race-commands.ts';
import { Restart, RestartInCancel, RestartInStart } from './restart-commands.ts';
import { CreateSession, Look, Release, Start, StartAgain, StartTwo } from './start-commands.ts';

const place = { session: fc.nat({ max: 1 }), run: fc.nat({ max: 5 }) };
const follow = fc.record({ ...place, cursor: fc.nat({ max: 104 }), live: fc.boolean(), withSdk: fc.boolean() });

const start = fc
  .record({
    session: place.session,
    policy: fc.constantFrom(BusyPolicy.REJECT, BusyPolicy.ENQUEUE, BusyPolicy.ENQUEUE, BusyPolicy.INTERRUPT),
    turns: fc.array(fc.constantFrom(...turns), { maxLength: 2 }),
    times: fc.constantFrom(1, 1, 3),
    settles: fc.boolean(),
  })
  .map((facts) => new Start(facts));
const again = fc.record({ ...place, differs: fc.boolean() }).map((facts) => new StartAgain(facts));
const release = fc
  .record({ ...place, gates: fc.integer({ min: 1, max: 4 }), settles: fc.boolean() })
  .map((facts) => new Release(facts));
const look = fc.record({ session: place.session }).map((facts) => new Look(facts));
const cancel = fc
  .record({ ...place, which: fc.constantFrom('run', 'run', 'active', 'unknown'), waits: fc.boolean() })
  .map((facts) => new Cancel(facts));
const remove = fc.record({ session: place.session, cancels: fc.boolean() }).map((facts) => new Delete(facts));
const answer = fc
  .record({ ...place, which: fc.constantFrom('right', 'right', 'again', 'another', 'unknown') })
  .map((facts) => new Answer(facts));

const racing = { ...place, turns: fc.nat({ max: 2000 }), waits: fc.boolean() };
const race = fc.oneof<fc.Arbitrary<Command>[]>(
  fc.record({ ...racing, gates: fc.constantFrom(1, 2, 6) }).map((facts) => new CancelWhileItGoesOn(facts)),
  fc.record(racing).map((facts) => new CancelWhileAnswered(facts)),
);

/** Sequences of commands. A restart is a kill where the world's stack is killed. */
export function sequences(isKill: boolean, maxCommands: number) {
  const create = fc.constant(new CreateSession());
  const watch = follow.map((facts) => new Follow(facts, false));
  const attach = follow.map((facts) => new Follow(facts, true));
  const startTwo = fc.record({ session: place.session }).map((facts) => new StartTwo(facts));
  const restarting = fc.record({ ...place, isKill: fc.constant(isKill), turns: fc.nat({ max: 1000 }) });
  const restarts = fc.oneof<fc.Arbitrary<Command>[]>(
    restarting.map((facts) => new Restart(facts)),
    restarting.map((facts) => new RestartInStart(facts)),
    restarting.map((facts) => new RestartInCancel(facts)),
  );
  const often: readonly fc.Arbitrary<Command>[] = [race, start, start, release, release, cancel, answer, watch, attach];
  const seldom: readonly fc.Arbitrary<Command>[] = [create, startTwo, again, look, remove, restarts];
  return fc.commands([...often, ...often, ...seldom], { maxCommands, size: 'max' });
}
