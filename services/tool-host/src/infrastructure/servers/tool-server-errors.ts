import { DomainError } from '@spanwise/kernel';

/** Something that is wrong with the file of servers, and where. */
export interface ToolServerProblem {
  /** `file:line`; the file alone when it can not be read. */
  readonly place: string;
  readonly problem: string;
}

/** The file of servers can not be used. The operator corrects it; what there was before stays. */
export function toolServersInvalid(problems: readonly ToolServerProblem[], cause?: unknown): DomainError {
  const lines = problems.map(({ place, problem }) => `${place}: ${problem}`);
  return new DomainError('invalid', 'INVALID_FIELD', lines.join('\n'), { cause });
}
