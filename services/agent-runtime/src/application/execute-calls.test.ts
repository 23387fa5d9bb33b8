import { DomainError } from '@spanwise/kernel';
import { describe, expect, it } from 'vitest';
import type { MemoryTool } from '../../tests/doubles/memory-tool-host.ts';
import { RunWorld, type RunWorldOptions } from '../../tests/doubles/run-world.ts';
import { settled } from '../../tests/doubles/virtual-time.ts';
import { toolOutcome } from '../domain/message/message.ts';
import { asksFor, calls, finish, says, text } from '../infrastructure/model-providers/scripted/script.ts';
import { toolHostUnavailable } from './ports/tool-host.ts';

const call = (tool: string, argumentsJson = '{}') => ({ tool, argumentsJson });
const read: MemoryTool = { name: 'read', effect: 'read-only', run: () => 'read it' };
const write: MemoryTool = { name: 'write', effect: 'idempotent', run: () => 'wrote it' };
const shell: MemoryTool = { name: 'shell', effect: 'non-repeatable', run: () => 'ran it' };

/** So many calls that only read, each of something else. */
const reads = (count: number) => Array.from({ length: count }, (_, index) => call('read', `{"n":${index}}`));

/** A run that asks for the calls in one turn and then ends. */
function worldOf(
  asked: readonly ReturnType<typeof call>[],
  tools: readonly MemoryTool[],
  options: Partial<RunWorldOptions> = {},
) {
  return new RunWorld({ script: [asksFor(...asked), says('done')], tools, ...options });
}

const outcomes = ({ journal }: RunWorld) => journal.said('toolResult').map(({ outcome }) => outcome);
const texts = ({ journal }: RunWorld) =>
  journal.said('toolResult').map(({ content }) => content[0]?.content.value ?? '');

describe('the calls of a turn', () => {
  it('run side by side when they only read', async () => {
    const gate = Promise.withResolvers<string>();
    const slow: MemoryTool = { name: 'read', effect: 'read-only', run: () => gate.promise };
    const world = worldOf(reads(3), [slow]);
    const running = world.run();
    await world.journal.until('spanStart', 5);
    await settled();
    expect(world.toolHost.log).toEqual(['begin read', 'begin read', 'begin read']);
    gate.resolve('read it');
    await running;
  });

  it('run one after the other, in order, when they change something', async () => {
    const world = worldOf(
      [call('read'), call('read'), call('write'), call('shell'), call('read')],
      [read, write, shell],
    );
    await world.run();
    expect(world.toolHost.log).toEqual([
      'begin read',
      'begin read',
      'end read',
      'end read',
      'begin write',
      'end write',
      'begin shell',
      'end shell',
      'begin read',
      'end read',
    ]);
  });

  it('run at most eight at a time', async () => {
    let running = 0;
    let most = 0;
    const counted: MemoryTool = {
      name: 'read',
      effect: 'read-only',
      run: async () => {
        running += 1;
        most = Math.max(most, running);
        await settled();
        running -= 1;
        return 'ok';
      },
    };
    const world = worldOf(reads(20), [counted]);
    await world.run();
    expect(most).toBe(8);
    expect(outcomes(world)).toHaveLength(20);
  });

  it('are told as they end and stored in the order in which they were asked for', async () => {
    const gate = Promise.withResolvers<string>();
    const first: MemoryTool = { name: 'first', effect: 'read-only', run: () => gate.promise };
    const second: MemoryTool = {
      name: 'second',
      effect: 'read-only',
      run: () => {
        setImmediate(() => gate.resolve('one'));
        return 'two';
      },
    };
    const world = worldOf([call('first'), call('second')], [first, second]);
    await world.run();
    expect(texts(world)).toEqual(['two', 'one']);
    const stored = world.journal.messages[1]?.parts.map(({ part }) => part.case === 'toolResult' && part.value.content);
    expect(stored).toEqual([
      [{ content: { case: 'text', value: 'one' } }],
      [{ content: { case: 'text', value: 'two' } }],
    ]);
  });

  it('carry the run, its user and the turn’s span to the tool', async () => {
    const world = worldOf([call('read', '{"path":"/a"}')], [read]);
    await world.run();
    const [turn] = world.journal.events;
    const [execution] = world.toolHost.executions;
    expect(execution).toMatchObject({
      run: { runId: '00000000-0000-7000-8000-0000000000aa', epoch: 1n, identity: { uid: 'ann', token: 'secret' } },
      call: { tool: 'read', argumentsJson: '{"path":"/a"}' },
      span: { span: turn?.span },
    });
  });

  it('pass on the spans and the progress of the tool', async () => {
    const busy: MemoryTool = {
      name: 'read',
      effect: 'read-only',
      run: (_, { progress }) => {
        progress('half');
        return 'ok';
      },
    };
    const world = worldOf([call('read')], [busy]);
    await world.run();
    expect(world.journal.said('toolProgress')).toMatchObject([{ message: 'half', progress: 1, total: 2 }]);
    expect(world.journal.said('spanStart').map(({ name, service }) => [name, service])).toContainEqual([
      'execute_tool read',
      'tool-host',
    ]);
  });
});

describe('a call that can not be executed', () => {
  it('is told to the model when it names no tool', async () => {
    const world = worldOf([call('reed')], [read, write]);
    expect(await world.run()).toMatchObject({ ended: 'completed' });
    expect(texts(world)).toEqual(['There is no tool "reed". The tools are: read, write.']);
    expect(outcomes(world)).toEqual([toolOutcome.error]);
  });

  it('is not executed when the run may not use the tool, though tool-host has it', async () => {
    const world = worldOf([call('write')], [read, write], { dispatch: { toolsDeny: ['write'] } });
    await world.run();
    expect(world.toolHost.executions).toEqual([]);
    expect(texts(world)).toEqual(['There is no tool "write". The tools are: read.']);
  });

  it('is told to the model when the tool fails or gets bad arguments', async () => {
    const broken: MemoryTool = {
      name: 'broken',
      effect: 'read-only',
      run: () => {
        throw new RangeError('no');
      },
    };
    const world = worldOf([call('broken'), call('read', '{"path":')], [broken, read]);
    expect(await world.run()).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect(outcomes(world)).toEqual([toolOutcome.error, toolOutcome.error]);
  });

  it('is told to the model when tool-host can not be reached, and the loop goes on', async () => {
    const world = worldOf([call('shell')], [shell]);
    world.toolHost.isAway = true;
    const running = world.run();
    await world.time.advance(30_000);
    expect(await running).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect(texts(world)).toEqual(['TOOL_HOST_UNAVAILABLE: The tool host could not be reached.']);
  });

  it.each([
    ['read', toolOutcome.error],
    ['write', toolOutcome.unknown],
    ['shell', toolOutcome.unknown],
  ])(
    'is repeated three times when its connection breaks, and then never claims that a %s did not run if it may have',
    async (name, expected) => {
      const world = worldOf([call(name)], [read, write, shell]);
      world.toolHost.beforeExecute = () => {
        throw toolHostUnavailable(true);
      };
      const running = world.run();
      await world.time.advance(30_000);
      await running;
      expect(outcomes(world)).toEqual([expected]);
      expect(world.toolHost.executions).toHaveLength(4);
    },
  );

  it('is told to the model when tool-host refuses the request', async () => {
    const world = worldOf([call('shell')], [shell]);
    world.toolHost.beforeExecute = () => {
      throw new DomainError('invalid', 'INVALID_FIELD', 'The arguments are too long.');
    };
    await world.run();
    expect(texts(world)).toEqual(['INVALID_FIELD: The arguments are too long.']);
    expect(outcomes(world)).toEqual([toolOutcome.error]);
  });

  it('is not executed when the token limit cut its arguments, and the model may ask again', async () => {
    const cut = [
      ...text('I will'),
      ...calls(call('write', '{"a":1}'), call('write', '{"text":"lo')),
      ...finish('length'),
    ];
    const world = new RunWorld({ script: [{ steps: cut }, says('done')], tools: [write] });
    expect(await world.run()).toMatchObject({ ended: 'completed', finish: 'stop' });
    expect(world.toolHost.executions.map((execution) => execution.call.argumentsJson)).toEqual(['{"a":1}']);
    expect(outcomes(world)).toEqual([toolOutcome.error, toolOutcome.ok]);
    expect(texts(world)[0]).toContain('cut at the token limit after 11 bytes');
    expect(world.journal.checkpoints[0]?.events.map(({ data }) => data.case)).toContain('toolResult');
  });

  it('is not executed beyond the sixty-fourth of a turn', async () => {
    const world = worldOf(reads(70), [read]);
    await world.run();
    expect(world.toolHost.executions).toHaveLength(64);
    expect(outcomes(world).filter((outcome) => outcome === toolOutcome.error)).toHaveLength(6);
  });

  it('shows something even when the tool has no output', async () => {
    const world = worldOf([call('silent')], [{ name: 'silent', effect: 'read-only', run: () => '' }]);
    await world.run();
    expect(texts(world)).toEqual(['(no output)']);
  });
});
