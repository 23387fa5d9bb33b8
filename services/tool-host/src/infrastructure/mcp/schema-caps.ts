/** What a schema of a server may be at most: it is compiled to code, shown to models and walked through for each value. */
const maxBytes = 64 * 1024;
const maxDepth = 32;
/** References that a schema may have: each may be followed from each. */
const maxReferences = 64;

/** Why a schema of a server is not used; undefined when it may be. Looks at no more than `maxDepth` levels. */
export function schemaFault(schema: unknown): string | undefined {
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    return 'it is no object';
  }
  const counted = { references: 0 };
  const fault = faultOf(schema, 1, counted);
  if (fault !== undefined) {
    return fault;
  }
  // Only now: what is nested too deeply can not be written down either.
  return JSON.stringify(schema).length > maxBytes ? `it is over ${maxBytes} bytes` : undefined;
}

function faultOf(value: object, depth: number, counted: { references: number }): string | undefined {
  if (depth > maxDepth) {
    return `it has more than ${maxDepth} levels`;
  }
  for (const [key, member] of Object.entries(value)) {
    if (typeof member === 'string') {
      const fault = keywordFault(key, member, depth, counted);
      if (fault !== undefined) {
        return fault;
      }
    } else if (typeof member === 'object' && member !== null) {
      const fault = faultOf(member, depth + 1, counted);
      if (fault !== undefined) {
        return fault;
      }
    }
  }
  return undefined;
}

function keywordFault(key: string, text: string, depth: number, counted: { references: number }): string | undefined {
  switch (key) {
    case '$ref':
    case '$dynamicRef':
    case '$recursiveRef':
      counted.references += 1;
      if (counted.references > maxReferences) {
        return `it has more than ${maxReferences} references`;
      }
      return text.startsWith('#') ? undefined : 'it refers to something outside of it';
    case '$id':
      // Below the root it would make local references remote ones.
      return depth === 1 ? undefined : 'a part of it has an $id';
    default:
      return undefined;
  }
}
