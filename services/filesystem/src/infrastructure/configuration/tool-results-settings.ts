import { z } from 'zod';
import { toolResultsDisk } from '../../domain/view/tool-results.ts';
import { byteCount } from '../disks/tree/quota-settings.ts';
import { TreeDisk } from '../disks/tree/tree-disk.ts';
import type { ConfiguredDisk } from './configured-disk.ts';
import type { YamlSource } from './yaml-source.ts';

/** How much of the outputs of tools is kept. */
export interface ToolResultsSettings {
  /** Bytes of one session. */
  readonly maxBytes: number;
  /** Days since an output was written. */
  readonly days: number;
}

const schema = z
  .strictObject({ quota: byteCount.default(256 * 1024 * 1024), days: z.int().min(1).max(3650).default(30) })
  .transform(({ quota: maxBytes, days }): ToolResultsSettings => ({ maxBytes, days }));

export const defaultToolResults: ToolResultsSettings = schema.parse({});

/** Reads the key `tool_results` of a configuration. Throws with the line of what can not be used. */
export function readToolResults(source: YamlSource): ToolResultsSettings {
  return source.read(['tool_results'], schema);
}

/** The disk that outputs are kept on. Its users are sessions, and what is replaced on it is not kept. */
export function toolResultsDiskOf({ maxBytes }: ToolResultsSettings): ConfiguredDisk {
  return {
    name: toolResultsDisk,
    keepsMarks: true,
    open: async ({ name, database, blobs, clock, ids }) =>
      new TreeDisk({
        ...{ name, database, blobs, clock, ids },
        quota: { maxBytes },
        versionLimits: { keep: 0, days: 1 },
      }),
  };
}
