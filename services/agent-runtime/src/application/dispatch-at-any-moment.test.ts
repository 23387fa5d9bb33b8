import { describe, expect, it } from 'vitest';
import type { MemoryTool } from '../../tests/doubles/memory-tool-host.ts';
import { delegate, delegating, delegatingWorld, helper, type Part, plays } from '../../tests/doubles/played-agents.ts';
import { RunWorld } from '../../tests/doubles/run-world.ts';
import { settled } from '../../tests/doubles/virtual-time.ts';
import { toolOutcome } from '../domain/message/message.ts';
import { asksFor, says, text } from '../infrastructure/model-providers/scripted/script.ts';

const call = (tool: string) => ({ tool, argumentsJson: '{}' });
const outcomesOf = ({ dispatches }: RunWorld) =>
  dispatches.flatMap(({ journal }) =>
    journal.events.flatMap(({ data }) => (data.case === 'toolResult' ? [data.value.outcome] : [])),
  );

describe('a run that is made to leave at any moment', () => {
  const write: MemoryTool = { name: 'write', effect: 'idempotent', run: () => settled().then(() => 'wrote it') };
  const once: MemoryTool = { name: 'once', effect: 'non-repeatable', run: () => settled().then(() => 'did it') };
  const slow: MemoryTool = { name: 'slow', effect: 'read-only', run: () => settled().then(() => 'read it') };
  const asks = asksFor(call('slow'), call('slow'), call('write'), call('once'), call('nothing'), call('slow'));
  const answers = [{ steps: [...text('I look'), ...asks.steps] }, says('do', 'ne')];
  const first = () => new RunWorld({ script: answers, tools: [slow, write, once] });
  const drive = async (world: RunWorld) => {
    const running = world.run();
    await world.time.advance(1_000);
    return running;
  };

  it.each([0, 1])(
    'comes to its end in the next dispatch, every call executed as often as it may be (%i ms)',
    async (graceMs) => {
      const whole = first();
      expect(await drive(whole)).toMatchObject({ ended: 'completed' });
      const { length } = whole.journal.events;
      let yields = 0;
      for (let moment = 1; moment <= length; moment += 1) {
        const world = first();
        world.journal.onSaid = (count) => void (count >= moment && world.leave(graceMs));
        let last = world;
        if ((await drive(world)).ended === 'yielded') {
          yields += 1;
          last = world.again({ script: answers.slice(world.journal.messages.length > 0 ? 1 : 0) });
          expect(await drive(last)).toMatchObject({ ended: 'completed', finish: 'stop' });
        }
        const begun = last.toolHost.log.filter((line) => line === 'begin once' || line === 'begin write');
        expect(begun.toSorted(), `moment ${moment}`).toEqual(['begin once', 'begin write']);
        const outcomes = last.dispatches.flatMap(({ journal }) =>
          journal.events.flatMap(({ data }) => (data.case === 'toolResult' ? [data.value.outcome] : [])),
        );
        expect(
          outcomes.toSorted((a, b) => a - b),
          `moment ${moment}`,
        ).toEqual([1, 1, 1, 1, 1, 2]);
      }
      expect(yields).toBeGreaterThan(graceMs === 0 ? 25 : 0);
    },
  );

  it('comes to its end also when its stream breaks, and says what may not be known', async () => {
    const whole = first();
    await drive(whole);
    const { length } = whole.journal.events;
    for (let moment = 1; moment < length; moment += 1) {
      const lost = first();
      lost.journal.onSaid = (count) => void (count >= moment && lost.loseDriver());
      expect(await drive(lost)).toMatchObject({ ended: 'aborted' });
      const last = lost.again({ script: answers.slice(lost.journal.messages.length > 0 ? 1 : 0) });
      expect(await drive(last)).toMatchObject({ ended: 'completed', finish: 'stop' });
      const begun = (name: string) => last.toolHost.log.filter((line) => line === `begin ${name}`).length;
      expect(begun('once'), `moment ${moment}`).toBe(1);
      expect(begun('write'), `moment ${moment}`).toBeLessThanOrEqual(2);
      const stopped = last.toolHost.log.filter((line) => line === 'stop once').length;
      expect(outcomesOf(last).filter((outcome) => outcome === toolOutcome.unknown)).toHaveLength(stopped);
      expect(outcomesOf(last)).toHaveLength(6);
    }
  });
});

describe('a run whose agents work for each other, and that is made to leave at any moment', () => {
  const write: MemoryTool = { name: 'write', effect: 'idempotent', run: () => settled().then(() => 'wrote it') };
  const once: MemoryTool = { name: 'once', effect: 'non-repeatable', run: () => settled().then(() => 'did it') };
  const read: MemoryTool = { name: 'read', effect: 'read-only', run: () => settled().then(() => 'read it') };
  const parts: Readonly<Record<string, Part>> = {
    default: [asksFor(delegate('helper', 'deep'), delegate('helper', 'flat'), call('once')), says('done')],
    helper: (task) =>
      task === 'deep'
        ? [asksFor(delegate('helper', 'inner')), says('deep', ' down')]
        : [asksFor(call('read'), call('once')), asksFor(call('write')), says(task)],
  };
  const tools = [read, write, once];
  const agents = [{ ...helper, ...delegating(['helper']) }];
  const first = () => delegatingWorld(parts, { tools, agents, agent: delegating(['helper']) });
  const next = (world: RunWorld) => world.again({ script: [], play: plays(parts) });
  const drive = async (world: RunWorld) => {
    const running = world.run();
    await world.time.advance(1_000);
    return running;
  };
  /** What every such run has to come to, over all of its dispatches. */
  const expectWhole = (last: RunWorld, moment: number) => {
    const begun = (name: string) => last.toolHost.log.filter((line) => line === `begin ${name}`).length;
    expect(outcomesOf(last), `moment ${moment}`).toHaveLength(10);
    const said = last.dispatches.flatMap(({ journal }) => journal.messages);
    expect(
      said.map(({ role }) => role),
      `moment ${moment}`,
    ).toEqual([3, 4, 3]);
    const texts = said[1]?.parts.map(({ part }) => part.case === 'toolResult' && part.value.content[0]?.content.value);
    expect(texts?.slice(0, 2), `moment ${moment}`).toEqual(['deep down', 'flat']);
    return { once: begun('once'), write: begun('write') };
  };

  it.each([0, 1])('comes to its end in the next dispatch, and nothing is done twice (%i ms)', async (graceMs) => {
    const whole = first();
    expect(await drive(whole)).toMatchObject({ ended: 'completed' });
    const { length } = whole.journal.events;
    let yields = 0;
    for (let moment = 1; moment <= length; moment += 1) {
      const world = first();
      world.journal.onSaid = (count) => void (count >= moment && world.leave(graceMs));
      let last = world;
      if ((await drive(world)).ended === 'yielded') {
        yields += 1;
        last = next(world);
        expect(await drive(last), `moment ${moment}`).toMatchObject({ ended: 'completed', finish: 'stop' });
      }
      expect(expectWhole(last, moment), `moment ${moment}`).toEqual({ once: 3, write: 2 });
      expect(new Set(outcomesOf(last))).toEqual(new Set([toolOutcome.ok]));
    }
    expect(yields).toBeGreaterThan(60);
  });

  it('comes to its end also when its stream breaks, again and again', async () => {
    const whole = first();
    await drive(whole);
    const { length } = whole.journal.events;
    for (let moment = 1; moment < length; moment += 1) {
      let world = first();
      const lose = () => {
        const lost = world;
        lost.journal.onSaid = (count) => void (count >= moment && lost.loseDriver());
      };
      lose();
      let end = await drive(world);
      if (moment % 3 === 0 && end.ended === 'aborted') {
        // Twice at the same place of two dispatches.
        world = next(world);
        lose();
        end = await drive(world);
      }
      if (end.ended === 'aborted') {
        world = next(world);
        end = await drive(world);
      }
      expect(end, `moment ${moment}`).toMatchObject({ ended: 'completed', finish: 'stop' });
      expect(expectWhole(world, moment).once, `moment ${moment}`).toBe(3);
      const stopped = world.toolHost.log.filter((line) => line === 'stop once').length;
      expect(outcomesOf(world).filter((outcome) => outcome === toolOutcome.unknown)).toHaveLength(stopped);
    }
  });
});
