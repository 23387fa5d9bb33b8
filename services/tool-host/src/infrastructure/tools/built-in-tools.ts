import type { Tool } from '@spanwise/tool-kit/contract';
import { applyPatchTool } from './apply-patch.ts';
import { askUserTool } from './ask-user.ts';
import { deleteTool } from './delete.ts';
import { editTool } from './edit.ts';
import { globTool } from './glob.ts';
import { grepTool } from './grep.ts';
import { lsTool } from './ls.ts';
import { mkdirTool } from './mkdir.ts';
import { moveTool } from './move.ts';
import { readTool } from './read.ts';
import { todoTool } from './todo.ts';
import { webFetchTool } from './web-fetch.ts';
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
  applyPatchTool,
  deleteTool,
  mkdirTool,
  moveTool,
  todoTool,
  webFetchTool,
];
