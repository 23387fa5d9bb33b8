import type { Tool } from '../../domain/tool/tool.ts';
import { askUserTool } from './ask-user.ts';
import { editTool } from './edit.ts';
import { globTool } from './glob.ts';
import { grepTool } from './grep.ts';
import { lsTool } from './ls.ts';
import { readTool } from './read.ts';
import { writeTool } from './write.ts';

/** The tools that every host has. */
export const builtInTools: readonly Tool[] = [
  // One line each, in any order.
  askUserTool,
  editTool,
  globTool,
  grepTool,
  lsTool,
  readTool,
  writeTool,
];
