import { OpenAiResponsesProvider } from '../../src/infrastructure/model-providers/openai-responses/openai-responses-provider.ts';
import type { ModelReply } from '../doubles/model-server.ts';
import { bytewise, crlf, failing, pageForPeople, playOver, recordingsIn } from './replies.ts';
import type { AdapterUnderTest } from './wire-contract.ts';

const { text: recording, whole, wholeOf } = recordingsIn('openai-responses/');
const text = recording('text');
const limited = { error: { message: 'Rate limit reached.', type: 'requests', code: 'rate_limit_exceeded' } };
const oneDelta = 'data: {"type":"response.output_text.delta","item_id":"msg_0","delta":"a"}\n\n';

/** OpenAI's responses. */
export const openAiResponses: AdapterUnderTest<ModelReply> = {
  name: 'openai-responses',
  cases: {
    'split UTF-8': { 'in single bytes': bytewise(text) },
    CRLF: { 'as a whole': { body: [crlf(text)] }, 'in single bytes': bytewise(crlf(text)) },
    comments: wholeOf('text-among-comments'),
    'garbage line': wholeOf('text-among-garbage'),
    'unknown event types': wholeOf('text-among-unknown'),
    'event that is no JSON': wholeOf('malformed-event'),
    'cut without stop reason': {
      'ended by the server': whole('cut'),
      'cut by the network': { ...whole('cut'), ending: 'cut' },
      'that claims to be done': whole('cut-but-done'),
    },
    '429 with Retry-After': {
      'in seconds': failing(429, limited, { 'retry-after': '2' }),
      'in milliseconds': failing(429, limited, { 'retry-after-ms': '2000', 'retry-after': '9' }),
    },
    'error after 100 deltas': wholeOf('error-after-100-deltas', 'failed-after-100-deltas'),
    'call without id': wholeOf('calls-without-id', 'calls-without-id-and-index'),
    'call without index': wholeOf('calls-without-index'),
    'arguments in one piece': wholeOf('calls-in-one-piece', 'calls-only-done'),
    'usage absent': wholeOf('text-without-usage'),
    'usage absurd': wholeOf('text-with-absurd-usage'),
    'abort closes the connection': { 'after a delta': { body: [oneDelta], ending: 'open' } },
  },
  more: {
    text: {
      'as recorded': whole('text'),
      'without the last line end': { body: [text.trimEnd()] },
      'on a connection that is cut after the end': { body: [text], ending: 'cut' },
    },
    reasoning: wholeOf('reasoning', 'reasoning-of-open-model'),
    calls: wholeOf('calls', 'calls-interleaved', 'calls-with-other-ids-at-the-end'),
    length: wholeOf('length'),
    'content-filter': wholeOf('content-filter'),
    rejected: {
      'no such model': failing(404, { error: { message: 'The model does not exist.', code: 'model_not_found' } }),
      'a bad request': failing(400, { error: { message: 'Bad.', type: 'invalid_request_error' } }),
      'wrong credentials': failing(401, { error: { message: 'Incorrect API key provided: sk-abc.' } }),
      'a quota that is used up': failing(429, { error: { message: 'Quota.', code: 'insufficient_quota' } }),
      'a page for people': pageForPeople,
      'a prompt that it takes offence at': {
        body: ['data: {"type":"response.failed","response":{"error":{"code":"invalid_prompt","message":"Bad."}}}\n\n'],
      },
    },
  },
  play: (reply) =>
    playOver(reply, (baseUrl) => new OpenAiResponsesProvider({ baseUrl, apiKey: 'sk-test', asksForSummaries: true })),
};
