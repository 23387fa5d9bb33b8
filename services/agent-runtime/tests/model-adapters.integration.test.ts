import { expect, it } from 'vitest';
import { aiSdkOverChat } from './wire/ai-sdk-wire.ts';
import { google } from './wire/google-wire.ts';
import { openAiChat } from './wire/openai-chat-wire.ts';
import { openAiResponses } from './wire/openai-responses-wire.ts';
import { replayed } from './wire/replayed.ts';
import { isDoesNotApply, type WireCase, wireCases, wireContract } from './wire/wire-contract.ts';
import { aiSdkParts } from './wire/written-parts.ts';

wireContract(openAiChat);
wireContract(openAiResponses);
wireContract(google);
wireContract(aiSdkOverChat);
wireContract(aiSdkParts);
wireContract(replayed);

const adapters = [openAiChat, openAiResponses, google, aiSdkOverChat, aiSdkParts, replayed];

/** In how many ways each case is played to each adapter; `-` where its wire can not be like that. */
const played = `
 | openai-chat | openai-responses | google | ai-sdk with openai-compatible | ai-sdk with a written model | replay
split UTF-8 | 1 | 1 | 1 | 1 | - | -
CRLF | 2 | 2 | 2 | 2 | - | -
comments | 1 | 1 | 1 | 1 | - | -
garbage line | 1 | 1 | 1 | 1 | - | -
unknown event types | 1 | 1 | 1 | - | 1 | -
event that is no JSON | 1 | 1 | 1 | 1 | 1 | -
cut without stop reason | 3 | 3 | 3 | 3 | 4 | 1
429 with Retry-After | 2 | 2 | 3 | 2 | 2 | 1
error after 100 deltas | 3 | 2 | 2 | 3 | 3 | 1
call without id | 3 | 2 | 2 | 3 | 1 | -
call without index | 2 | 1 | - | 2 | - | -
arguments in one piece | 2 | 2 | 1 | 1 | 1 | 1
usage absent | 1 | 1 | 1 | 1 | 1 | 1
usage absurd | 1 | 1 | 1 | 1 | 1 | -
abort closes the connection | 1 | 1 | 1 | 1 | 1 | -
`;

it('plays every case that a wire can have to every adapter', () => {
  const cells = (wireCase: WireCase) =>
    adapters.map(({ cases }) => (isDoesNotApply(cases[wireCase]) ? '-' : `${Object.keys(cases[wireCase]).length}`));
  const rows = (Object.keys(wireCases) as WireCase[]).map((wireCase) => [wireCase, ...cells(wireCase)].join(' | '));
  expect(['', ['', ...adapters.map(({ name }) => name)].join(' | '), ...rows, ''].join('\n')).toBe(played);
});

it('says why where a case does not apply', () => {
  const reasons = adapters.flatMap(({ name, cases }) =>
    Object.entries(cases).flatMap(([wireCase, replies]) =>
      isDoesNotApply(replies) ? [[name, wireCase, replies.doesNotApply]] : [],
    ),
  );
  expect(reasons.filter(([, , why]) => (why ?? '').length < 20)).toEqual([]);
});
