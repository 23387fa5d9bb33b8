/** Keeps a whole output in a file that the session can read. Answers its path; undefined when it could not be kept. */
export type KeepOutput = (text: string) => Promise<string | undefined>;
