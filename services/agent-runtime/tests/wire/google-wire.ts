import { GoogleProvider } from '../../src/infrastructure/model-providers/google/google-provider.ts';
import type { ModelReply } from '../doubles/model-server.ts';
import { bytewise, crlf, failing, pageForPeople, playOver, recordingsIn } from './replies.ts';
import type { AdapterUnderTest } from './wire-contract.ts';

const { text: recording, whole, wholeOf } = recordingsIn('google/');
const text = recording('text');
const oneDelta = 'data: {"candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"}}]}\n\n';
const quota = {
  code: 429,
  message: 'You exceeded your current quota.',
  status: 'RESOURCE_EXHAUSTED',
  details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '2s' }],
};
const badKey = {
  code: 400,
  message: 'API key not valid: AIza.',
  status: 'INVALID_ARGUMENT',
  details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }],
};

/** Gemini's own API. */
export const google: AdapterUnderTest<ModelReply> = {
  name: 'google',
  cases: {
    'split UTF-8': { 'in single bytes': bytewise(text) },
    CRLF: { 'as a whole': { body: [crlf(text)] }, 'in single bytes': bytewise(crlf(text)) },
    comments: wholeOf('text-among-comments'),
    'garbage line': wholeOf('text-among-garbage'),
    'unknown event types': wholeOf('text-among-unknown'),
    'event that is no JSON': wholeOf('malformed-chunk'),
    'cut without stop reason': {
      'ended by the server': whole('cut'),
      'cut by the network': { ...whole('cut'), ending: 'cut' },
      'that claims to be done': whole('cut-but-done'),
    },
    '429 with Retry-After': {
      'in a header': failing(429, { error: { ...quota, details: [] } }, { 'retry-after': '2' }),
      'as RetryInfo': failing(429, { error: quota }),
      'as RetryInfo in an array': failing(429, [{ error: quota }]),
    },
    'error after 100 deltas': wholeOf('error-after-100-deltas', 'error-without-code'),
    'call without id': wholeOf('calls-without-id', 'calls-with-one-id'),
    'call without index': { doesNotApply: 'calls have no index: each comes whole, in a part of its own' },
    'arguments in one piece': wholeOf('calls-in-one-chunk'),
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
    reasoning: wholeOf('reasoning', 'reasoning-signed'),
    calls: wholeOf('calls'),
    length: wholeOf('length'),
    'content-filter': wholeOf(
      'content-filter-safety',
      'content-filter-recitation',
      'content-filter-blocklist',
      'content-filter-prohibited-content',
      'content-filter-spii',
      'content-filter-of-prompt',
    ),
    'no stop reason': wholeOf('malformed-call'),
    rejected: {
      'no such model': failing(404, { error: { code: 404, message: 'Not found.', status: 'NOT_FOUND' } }),
      'a bad request': failing(400, { error: { code: 400, message: 'Bad.', status: 'INVALID_ARGUMENT' } }),
      'wrong credentials': failing(400, { error: badKey }),
      'no permission': failing(403, { error: { code: 403, message: 'No.', status: 'PERMISSION_DENIED' } }),
      'a page for people': pageForPeople,
      'an error in the stream': {
        body: ['data: {"error":{"code":400,"message":"Bad.","status":"INVALID_ARGUMENT"}}\n\n'],
      },
    },
  },
  play: (reply) =>
    playOver(
      reply,
      (url) => new GoogleProvider({ baseUrl: new URL(url).origin, apiKey: 'AIza-test', asksForThoughts: true }),
    ),
};
