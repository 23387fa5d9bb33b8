import { describe, expect, it } from 'vitest';
import { toolOutcome } from '../message/message.ts';
import { CallBatch } from './call-batch.ts';

const call = (callId: string) => ({ callId, tool: 'read', argumentsJson: '{}', isCut: false });
const result = (callId: string) => ({ callId, outcome: toolOutcome.ok, content: [], structuredJson: '', code: '' });

describe('a batch of calls', () => {
  it('has its results in call order', () => {
    const batch = new CallBatch([call('a'), call('b')]);
    batch.answer(result('b'));
    batch.answer(result('a'));
    expect(batch.results()).toEqual([result('a'), result('b')]);
  });

  it('tells which calls have no result, and which of them were begun', () => {
    const batch = new CallBatch([call('a'), call('b'), call('c')]);
    batch.begin(call('a'));
    batch.begin(call('b'));
    batch.answer(result('a'));
    expect(batch.unanswered()).toEqual([
      { call: call('b'), wasBegun: true, isSuspended: false },
      { call: call('c'), wasBegun: false, isSuspended: false },
    ]);
  });

  it('takes the results of an earlier dispatch, and all of its calls as begun', () => {
    const batch = new CallBatch([call('a'), call('b')], { results: [result('a'), result('of another message')] });
    expect(batch.isAnswered(call('a'))).toBe(true);
    expect(batch.unanswered()).toEqual([{ call: call('b'), wasBegun: true, isSuspended: false }]);
  });

  it('is suspended until the last call that waits has its result', () => {
    const batch = new CallBatch([call('a'), call('b')]);
    batch.answer(result('a'));
    batch.suspend(call('b'));
    expect(batch.isSuspended).toBe(true);
    expect(batch.unanswered()).toEqual([{ call: call('b'), wasBegun: false, isSuspended: true }]);
    batch.answer(result('b'));
    expect(batch.isSuspended).toBe(false);
  });

  it('refuses a second result and a result that is missing', () => {
    const batch = new CallBatch([call('a'), call('b')]);
    batch.answer(result('a'));
    expect(() => batch.answer(result('a'))).toThrow('call a was answered twice');
    expect(() => batch.results()).toThrow('call b has no result');
  });
});
