import { VirtualPath } from '../path/virtual-path.ts';
import type { MountTemplate } from './mount-template.ts';

/** Name of the disk that outputs of tools are kept on. Configurations can not use it. */
export const toolResultsDisk = 'tool-results';

/**
 * The mount that every view has besides those of the configuration: outputs of tools that were too long for the model, kept
 * for their session. They are no files of a run, so that they outlast one that is rolled back.
 */
export const toolResultsMount: MountTemplate = {
  path: VirtualPath.parse('/tool-results'),
  sources: [{ disk: toolResultsDisk, remote: '/{session_id}', priority: 0, isOptional: false }],
  isReadOnly: true,
  isOutput: false,
  writer: 'tool-host',
};
