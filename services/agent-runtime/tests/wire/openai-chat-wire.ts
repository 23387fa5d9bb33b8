import { OpenAiChatProvider } from '../../src/infrastructure/model-providers/openai-chat/openai-chat-provider.ts';
import { chunks, type ModelReply } from '../doubles/model-server.ts';
import { bytewise, crlf, failing, pageForPeople, playOver, recordingsIn } from './replies.ts';
import type { AdapterUnderTest } from './wire-contract.ts';

const { text: recording, whole, wholeOf } = recordingsIn('');
const text = recording('text');
const errorRecording = recording('error-after-100-deltas');
const otherError = (line: string): ModelReply => ({ body: [errorRecording.replace(/data: \{"error".*/, line)] });
const limited = { error: { message: 'Rate limit reached.', type: 'requests', code: 'rate_limit_exceeded' } };

/** Chat completions, as OpenAI and the many that follow it speak them. */
export const openAiChat: AdapterUnderTest<ModelReply> = {
  name: 'openai-chat',
  cases: {
    'split UTF-8': { 'in single bytes': bytewise(text) },
    CRLF: { 'as a whole': { body: [crlf(text)] }, 'in single bytes': bytewise(crlf(text)) },
    comments: wholeOf('text-among-unknown'),
    'garbage line': wholeOf('text-among-unknown'),
    'unknown event types': wholeOf('text-among-unknown'),
    'event that is no JSON': wholeOf('malformed-chunk'),
    'cut without stop reason': {
      'ended by the server': whole('cut'),
      'cut by the network': { ...whole('cut'), ending: 'cut' },
      'that claims to be done': whole('cut-but-done'),
    },
    '429 with Retry-After': {
      'in seconds': failing(429, limited, { 'retry-after': '2' }),
      'in milliseconds': failing(429, limited, { 'retry-after-ms': '2000', 'retry-after': '9' }),
    },
    'error after 100 deltas': {
      'as OpenAI says it': whole('error-after-100-deltas'),
      'as older vLLM says it': otherError('data: {"object":"error","message":"Out of memory","code":500}'),
      'as a text': otherError('data: {"error":"boom"}'),
    },
    'call without id': wholeOf('calls-without-id', 'calls-without-id-and-index', 'calls-with-one-id'),
    'call without index': wholeOf('calls-without-index', 'calls-all-with-index-0'),
    'arguments in one piece': wholeOf('calls-in-one-piece', 'calls-with-objects'),
    'usage absent': wholeOf('text-without-usage'),
    'usage absurd': wholeOf('text-with-absurd-usage'),
    'abort closes the connection': { 'after a delta': { body: [chunks({ content: 'a' })], ending: 'open' } },
  },
  more: {
    text: {
      'as recorded': whole('text'),
      'without [DONE]': { body: [text.replace('data: [DONE]\n\n', '')] },
      'without the last line end': { body: [text.trimEnd()] },
      'on a connection that is left open after [DONE]': { body: [text], ending: 'open' },
      'on a connection that is cut after the stop reason and the usage': {
        body: [text.replace('data: [DONE]\n\n', '')],
        ending: 'cut',
      },
    },
    reasoning: wholeOf('reasoning', 'reasoning-of-openrouter'),
    calls: wholeOf('calls', 'calls-interleaved', 'calls-with-late-names'),
    length: wholeOf('length'),
    'content-filter': wholeOf('content-filter'),
    rejected: {
      'no such model': failing(404, { error: { message: 'The model does not exist.', code: 'model_not_found' } }),
      'a bad request': failing(400, { error: { message: 'Bad.', type: 'invalid_request_error' } }),
      'wrong credentials': failing(401, { error: { message: 'Incorrect API key provided: sk-abc.' } }),
      'a quota that is used up': failing(429, { error: { message: 'Quota.', code: 'insufficient_quota' } }),
      'a page for people': pageForPeople,
      'an error in the stream': { body: ['data: {"error":{"message":"Bad.","type":"invalid_request_error"}}\n\n'] },
    },
  },
  play: (reply) => playOver(reply, (baseUrl) => new OpenAiChatProvider({ baseUrl, apiKey: 'sk-test' })),
};
