/** A file as the `read` tool shows it: each line behind its number and a tab. */
export interface ReadFile {
  readonly path: string;
  readonly text: string;
}

export interface DemoReport {
  readonly markdown: string;
  readonly summary: string;
}

interface Column {
  readonly name: string;
  readonly total: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

interface Table {
  readonly path: string;
  readonly rows: number;
  readonly columns: readonly Column[];
}

/** Works out a report: the totals of every column of numbers, and the title of every text. */
export function demoReport(files: readonly ReadFile[]): DemoReport {
  const tables = files.filter(({ path }) => path.endsWith('.csv')).map(tableOf);
  const texts = files.filter(({ path }) => path.endsWith('.md'));
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const summary = `I read ${texts.length} texts and ${tables.length} tables with ${rows} rows.${largestTotal(tables)}`;
  const markdown = [
    '# Report on the library',
    '',
    summary,
    '',
    ...tables.flatMap(tableSection),
    '## Texts',
    '',
    ...texts.map(({ path, text }) => `- \`${path}\`: ${titleOf(text)}`),
    '',
  ].join('\n');
  return { markdown, summary };
}

function tableOf({ path, text }: ReadFile): Table {
  const [header = '', ...lines] = linesOf(text).filter((line) => line !== '');
  const cells = lines.map((line) => line.split(','));
  const columns = header.split(',').flatMap((name, index) => {
    const values = cells.map((row) => row[index] ?? '');
    const isNumeric =
      values.length > 0 && values.every((value) => value.trim() !== '' && Number.isFinite(Number(value)));
    return isNumeric ? [columnOf(name, values.map(Number))] : [];
  });
  return { path, rows: lines.length, columns };
}

function columnOf(name: string, values: readonly number[]): Column {
  const total = values.reduce((sum, value) => sum + value, 0);
  return { name, total, mean: total / values.length, min: Math.min(...values), max: Math.max(...values) };
}

function tableSection({ path, rows, columns }: Table): readonly string[] {
  const figures = columns.map(
    ({ name, total, mean, min, max }) =>
      `| ${name} | ${number(total)} | ${number(mean)} | ${number(min)} | ${number(max)} |`,
  );
  return [
    `## \`${path}\``,
    '',
    `${rows} rows.`,
    '',
    ...(figures.length === 0
      ? []
      : ['| column | total | mean | min | max |', '|---|---:|---:|---:|---:|', ...figures, '']),
  ];
}

function largestTotal(tables: readonly Table[]): string {
  const totals = tables.flatMap(({ path, columns }) => columns.map(({ name, total }) => ({ path, name, total })));
  const largest = totals.toSorted((a, b) => b.total - a.total)[0];
  return largest === undefined
    ? ''
    : ` The largest total is ${number(largest.total)} (${largest.name} in ${largest.path}).`;
}

function titleOf(text: string): string {
  return (linesOf(text).find((line) => line.startsWith('#')) ?? 'no title').replace(/^#+\s*/, '');
}

function linesOf(text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => /^\s*\d+\t/.test(line))
    .map((line) => line.slice(line.indexOf('\t') + 1));
}

function number(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}
