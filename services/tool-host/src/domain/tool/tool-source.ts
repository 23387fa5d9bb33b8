import type { DomainError, Uid } from '@spanwise/kernel';
import type { Tool } from '@spanwise/tool-kit/contract';
import type { Caller } from './tool-call.ts';

/** Where tools come from that are not of this process: they come and go while it runs. */
export interface ToolSource {
  /** Name of the server; its tools are called `name__tool`, so that no name changes when servers come and go. */
  readonly name: string;
  /** True: it may offer other tools to another user. Default false. */
  readonly isPerUser?: boolean;
  /** The tools that can be offered to a user now; asked for each call, so it answers from memory. Their names begin with `name__`. */
  tools(uid: Uid): readonly Tool[];
  /**
   * Why a tool of this name can not be offered, in words for the model: its server is away (TOOL_UNAVAILABLE), or describes
   * it otherwise than was allowed (TOOL_CHANGED). Undefined when there is no such tool.
   */
  refusalOf?(name: string, uid: Uid): DomainError | undefined;
  /** Gets to know what the server offers to this user, when that is not known yet and takes their token. Never throws. */
  prepare?(caller: Caller, signal: AbortSignal): Promise<void>;
}

/** The servers that there are at the moment. */
export type ToolSources = () => readonly ToolSource[];

/** None at all. */
export const noToolSources: ToolSources = () => [];
