/** Name of a number of an enumeration of the contract. */
export function enumName<Names extends Readonly<Record<string, number>>>(names: Names, number: number): string {
  return Object.keys(names).find((name) => names[name] === number) ?? String(number);
}
