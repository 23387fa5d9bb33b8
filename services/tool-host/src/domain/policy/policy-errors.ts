import { DomainError, excerpt } from '@spanwise/kernel';

/** A rule refuses the call. The model does without it, or in another way. */
export function toolDenied(tool: string, rule: string): DomainError {
  const text = `This call of ${tool} is not allowed here (rule ${excerpt(rule)}). It was not executed. Go on without it.`;
  return new DomainError('denied', 'TOOL_DENIED', text, { facts: { tool, rule } });
}

/** A rule keeps a command away from a path. The model does without it. */
export function pathDenied(path: string, access: 'read' | 'write', rule: string): DomainError {
  const text = `${path} is not to be ${access === 'read' ? 'read' : 'changed'} by commands (rule ${excerpt(rule)}).`;
  return new DomainError('denied', 'TOOL_DENIED', text, { facts: { path, rule } });
}

/** The call needs an approval, and nobody is there to give it. */
export function nobodyToApprove(tool: string, rule: string): DomainError {
  const text = `This call of ${tool} needs an approval, and nobody is there to give it. It was not executed. Go on without it.`;
  return new DomainError('denied', 'TOOL_DENIED', text, { facts: { tool, rule } });
}

/** The user has looked at the call and does not want it. */
export function approvalDeclined(tool: string, reason: string): DomainError {
  const why = reason === '' ? '' : ` They say: ${reason.slice(0, 4000)}`;
  const text = `The user has not approved this call of ${tool}. It was not executed: do not repeat it unchanged.${why}`;
  return new DomainError('denied', 'APPROVAL_DECLINED', text, { facts: { tool } });
}

/** Nobody has looked at the call in time. */
export function approvalExpired(tool: string): DomainError {
  const text = `Nobody has approved this call of ${tool} in time. It was not executed. Go on without it, or say what is missing.`;
  return new DomainError('denied', 'APPROVAL_DECLINED', text, { facts: { tool } });
}
