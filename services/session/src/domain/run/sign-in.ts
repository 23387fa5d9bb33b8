import { signInAnswerInvalid } from './run-errors.ts';

/** What the owner of a session answers when a run asks for another token. */
export type SignIn =
  /** The request that answers has it. */
  | 'signed-in'
  /** There will be none: the call that waits fails, and the model is told. */
  | 'declined';

/** The answers, as they are stored: always in these words, so that the same answer is known again. */
export const signInJson: Readonly<Record<SignIn, string>> = {
  'signed-in': '{"signed_in":true}',
  declined: '{"signed_in":false}',
};

/** Reads an answer to an interrupt of kind auth. Throws INVALID_FIELD for any other JSON text. */
export function signInOf(answerJson: string): SignIn {
  const text = JSON.stringify(JSON.parse(answerJson));
  if (text === signInJson['signed-in']) {
    return 'signed-in';
  }
  if (text === signInJson.declined) {
    return 'declined';
  }
  throw signInAnswerInvalid();
}
