import { describe, expect, it } from 'vitest';
import { type Message, type PartContent, role, toolMessage, toolOutcome } from '../message/message.ts';
import { loopDetected, loopingCalls } from './call-loop.ts';

/** A call and its result, which is the code when there is one; no result of a call of the last message. */
interface Said {
  readonly tool?: string;
  readonly args?: string;
  readonly shown?: string;
  readonly code?: string;
}

const user: Message = {
  id: 'u',
  role: role.user,
  runId: 'r',
  parts: [{ part: { case: 'text', value: { text: 'go' } } }],
};

/** A dialogue of turns; of the last one only the calls are said. Calls are called 0, 1, 2, … */
function dialogue(turns: readonly (readonly Said[])[], runId = 'r'): Message[] {
  let count = 0;
  return turns.flatMap((turn, index) => {
    const calls = turn.map(({ tool = 'read', args = '{}' }): PartContent => {
      return { case: 'toolCall', value: { callId: String(count++), tool, argumentsJson: args } };
    });
    const results = turn.map(({ shown = 'same', code = '' }, at) => {
      const outcome = code === '' ? toolOutcome.ok : toolOutcome.error;
      const value = code === '' ? shown : `failed: ${code}`;
      const callId = String(count - turn.length + at);
      return { callId, outcome, content: [{ content: { case: 'text', value } }], structuredJson: '', code } as const;
    });
    const asked: Message = { id: `a${index}`, role: role.assistant, runId, parts: calls.map((part) => ({ part })) };
    return index === turns.length - 1 ? [asked] : [asked, toolMessage(`t${index}`, runId, results)];
  });
}

const looping = (...turns: readonly (readonly Said[])[]) => [...loopingCalls([user, ...dialogue(turns)])];
const same: Said = {};
const stopped: Said = { code: loopDetected };

describe('a call is in a loop', () => {
  it.each<[string, readonly (readonly Said[])[], readonly string[]]>([
    ['at its third time in three turns', [[same], [same], [same]], ['2']],
    ['at its third time in one message', [[same, same, same, same]], ['2', '3']],
    ['when the message before has two of them', [[same, same], [same]], ['2']],
    ['when its result is not known yet', [[same], [same, same]], ['2']],
    ['when it fails in the same way', [[{ code: 'X' }], [{ code: 'X' }], [same]], ['2']],
    ['after others', [[{ tool: 'ls' }], [same], [same], [same]], ['3']],
    ['still after it was stopped', [[same], [same], [stopped], [stopped], [same]], ['4']],
    [
      'when only the spelling of its arguments differs',
      [
        [{ args: '{"a":1,"b":{"c":[2],"d":"\\u0041"}}' }],
        [{ args: '{"b":{"d":"A","c":[2]},"a":1.0}' }],
        [{ args: ' {"a":1,"b":{"c":[2],"d":"A"}}' }],
      ],
      ['2'],
    ],
    ['when its arguments are the same and no JSON', [[{ args: '{"a' }], [{ args: '{"a' }], [{ args: '{"a' }]], ['2']],
    [
      'when only the files of its outputs differ',
      [[{ shown: '/out/0.txt' }], [{ shown: '/out/1.txt' }], [same]],
      ['2'],
    ],
  ])('%s', (_, turns, ids) => {
    expect(looping(...turns)).toEqual(ids);
  });
});

describe('a call is in no loop', () => {
  it.each<[string, readonly (readonly Said[])[]]>([
    ['at its second time', [[same], [same]]],
    ['when another one comes between', [[same], [same], [{ tool: 'ls' }], [same]]],
    ['when another one comes between, in the same message', [[same, same, { tool: 'ls' }, same]]],
    ['when its arguments differ', [[same], [same], [{ args: '{"a":1}' }]]],
    ['when the order of a list differs', [[{ args: '[1,2]' }], [{ args: '[1,2]' }], [{ args: '[2,1]' }]]],
    ['when it is of another tool', [[same], [same], [{ tool: 'ls' }]]],
    ['when its results differ, as those of one that waits for something', [[{ shown: '1' }], [{ shown: '2' }], [same]]],
    ['when it failed and then did not', [[{ code: 'X' }], [same], [same]]],
    ['when its results differed before it was stopped', [[{ shown: '1' }, { shown: '2' }, stopped], [same]]],
  ])('%s', (_, turns) => {
    expect(looping(...turns)).toEqual([]);
  });

  it('when the user has said something since', () => {
    const [first, second, third, fourth, last] = dialogue([[same], [same], [same]]);
    const said = [user, first, second, third, fourth, { ...user, id: 'u2' }, last];
    expect(loopingCalls(said.filter((message) => message !== undefined))).toEqual(new Set());
  });

  it('when those before are of another run', () => {
    const earlier = dialogue([[same], [same], []], 'other').slice(0, -1);
    expect(loopingCalls([user, ...earlier, ...dialogue([[same]])])).toEqual(new Set());
  });
});

it('there is no loop in a dialogue that ends without calls', () => {
  expect(loopingCalls([])).toEqual(new Set());
  expect(loopingCalls([user])).toEqual(new Set());
});
