import type { ToolServer } from '../servers/tool-server.ts';
import type { ListedTool } from './listed-tool.ts';
import type { ToolPins } from './tool-pins.ts';

/** Tools whose descriptions are allowed, and those that are not, until their operator says so. */
export interface JudgedTools {
  readonly allowed: readonly ListedTool[];
  readonly changed: readonly ListedTool[];
}

/**
 * Compares descriptions with what counts: what the file pins, else what was seen first. Throws DATABASE_UNAVAILABLE.
 */
export async function judgePins(
  server: ToolServer,
  tools: readonly ListedTool[],
  pins: ToolPins,
): Promise<JudgedTools> {
  const { pin, pinned, name } = server;
  const ofFile = (tool: ListedTool) =>
    Object.hasOwn(pinned, tool.described.name) ? pinned[tool.described.name] : undefined;
  if (pin === 'none') {
    return split(tools, (tool) => (ofFile(tool) ?? tool.hash) === tool.hash);
  }
  if (pin === 'file') {
    return split(tools, (tool) => ofFile(tool) === tool.hash);
  }
  const seen = await pins.see(name, new Map(tools.map((tool) => [tool.described.name, ofFile(tool) ?? tool.hash])));
  for (const tool of tools) {
    // What the file allows counts from now on, also when it is taken out of the file.
    if (ofFile(tool) === tool.hash && seen.get(tool.described.name) !== tool.hash) {
      await pins.allow(name, tool.described.name, tool.hash);
    }
  }
  return split(tools, (tool) => (ofFile(tool) ?? seen.get(tool.described.name)) === tool.hash);
}

function split(tools: readonly ListedTool[], isAllowed: (tool: ListedTool) => boolean): JudgedTools {
  return { allowed: tools.filter(isAllowed), changed: tools.filter((tool) => !isAllowed(tool)) };
}
