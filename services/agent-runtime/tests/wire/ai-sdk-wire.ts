import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { AiSdkProvider } from '../../src/infrastructure/model-providers/ai-sdk/ai-sdk-provider.ts';
import type { ModelReply } from '../doubles/model-server.ts';
import { request } from '../model-provider.contract.ts';
import { openAiChat } from './openai-chat-wire.ts';
import { playOver, recordingsIn } from './replies.ts';
import type { AdapterUnderTest } from './wire-contract.ts';

const { text: recording, whole, wholeOf } = recordingsIn('');
const text = recording('text');

/**
 * A provider of the AI SDK on the wire of chat completions, which its own package reads. It is stricter than ours: it
 * takes no arguments that are objects, and waits for the end of the body after [DONE].
 */
export const aiSdkOverChat: AdapterUnderTest<ModelReply> = {
  name: 'ai-sdk with openai-compatible',
  cases: {
    ...openAiChat.cases,
    comments: { 'before each event': { body: [text.replaceAll('data: ', ': keep-alive\ndata: ')] } },
    'garbage line': { 'before each event': { body: [text.replaceAll('data: ', 'garbage\nretry: 10\ndata: ')] } },
    'unknown event types': { doesNotApply: 'its package takes an event that it does not know for a broken stream' },
    'arguments in one piece': wholeOf('calls-in-one-piece'),
  },
  more: {
    ...openAiChat.more,
    text: {
      'as recorded': whole('text'),
      'without [DONE]': { body: [text.replace('data: [DONE]\n\n', '')] },
      'without the last line end': { body: [text.trimEnd()] },
    },
    // Of an error in the stream its package passes on the words alone, which do not tell whether asking again may help.
    rejected: Object.fromEntries(
      Object.entries(openAiChat.more.rejected ?? {}).filter(([how]) => how !== 'an error in the stream'),
    ),
  },
  play: (reply) =>
    playOver(reply, (baseURL) => {
      const provider = createOpenAICompatible({ name: 'loopback', baseURL, apiKey: 'sk-test', includeUsage: true });
      return new AiSdkProvider({ models: new Map([[request.model, provider.chatModel('test-model')]]) });
    }),
};
