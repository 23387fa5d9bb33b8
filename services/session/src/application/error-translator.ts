import type { DomainError } from '@spanwise/kernel';
import type { AgentError } from '../domain/event/agent-event.ts';

/** Makes what is said inside streams of an error. */
export type ErrorTranslator = (error: DomainError) => AgentError;
