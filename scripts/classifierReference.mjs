// docs/classifier.md and the weights of words: how well, and how fast, the server tells what a request is for.
import { workKinds } from '../server/api/purpose.ts';
import { readWeights, readWorkKind } from '../server/routing/purpose/workKind.ts';
import { labelledSets } from '../test/unit/routing/purpose/labelledSets.ts';
import { learnWeights } from '../test/unit/routing/purpose/learnWeights.ts';

const kinds = Object.keys(workKinds);
const percent = (part, whole) => `${(100 * part / whole).toFixed(1)} %`;
const tableOf = (head, rows) => [`| ${head.join(' | ')} |`, `|${head.map((_, index) => (index === 0 ? '---' : '--:')).join('|')}|`, ...rows.map((row) => `| ${row.join(' | ')} |`), ''].join('\n');

let weights;

/** The weights, learnt anew from the tuning halves. */
export function learntWeights() {
  return weights ??= learnWeights(labelledSets().flatMap(({ tuning }) => tuning));
}

/** `server/routing/purpose/wordWeights.ts` with these weights. */
export function weightsModule(table) {
  const lines = [];
  let line = '';
  for (const entry of table.split(';')) {
    if (line.length + entry.length > 300) {
      lines.push(line);
      line = '';
    }
    line += `${entry};`;
  }
  return `/** Made by \`npm run classifier\` from test/unit/routing/purpose/labelled/: a feature, and its weight for each kind in hundredths. */\nexport const wordWeights = ''\n${[...lines, line].map((text) => `  + '${text}'`).join('\n')};\n`;
}

/** The two lengths that part the kinds best on the tuning half: short is low-cost, long is high-quality, or the other way around. */
function lengthThreshold(tuning) {
  const lengths = [...new Set(tuning.map(({ text }) => text.length))].sort((a, b) => a - b);
  let best = { right: -1, kindOf: () => 'balanced' };
  for (const order of [kinds, [...kinds].reverse()]) {
    for (const [index, low] of lengths.entries()) {
      for (const high of lengths.slice(index)) {
        const kindOf = (text) => (text.length < low ? order[0] : text.length < high ? order[1] : order[2]);
        const right = tuning.filter(({ text, kind }) => kindOf(text) === kind).length;
        if (right > best.right) best = { right, kindOf };
      }
    }
  }
  return best.kindOf;
}

const rightOf = (lines, kindOf) => lines.filter(({ text, kind }) => kindOf(text) === kind).length;

/** How many of each set are right, for the classifier and what it is compared with. */
export function judged() {
  const learnt = readWeights(learntWeights());
  const classify = (text) => readWorkKind(text, learnt)?.kind ?? 'balanced';
  return labelledSets().map((set) => ({
    ...set, classify, right: rightOf(set.judging, classify), byLength: rightOf(set.judging, lengthThreshold(set.tuning)), balanced: rightOf(set.judging, () => 'balanced'),
  }));
}

function accuracy(sets) {
  return tableOf(['lines judged', 'how many', 'classifier', 'length threshold', 'always balanced'], sets.map(({ title, later, judging, right, byLength, balanced }) => [
    `${title}${later ? ', written later' : ''}`, judging.length, percent(right, judging.length), percent(byLength, judging.length), percent(balanced, judging.length),
  ]));
}

function confusion(sets, title) {
  const lines = sets.flatMap(({ judging, classify }) => judging.map(({ text, kind }) => ({ kind, found: classify(text) })));
  return `${title}:\n\n${tableOf(['is', ...kinds.map((kind) => `taken for ${kind}`)], kinds.map((kind) => [kind, ...kinds.map((found) => lines.filter((line) => line.kind === kind && line.found === found).length)]))}`;
}

/** The page without its last section, which holds what was measured. */
export function classifierReference() {
  const sets = judged();
  const lines = labelledSets();
  const count = (half) => lines.reduce((sum, set) => sum + set[half].length, 0);
  return `# What a request is for

Made by \`npm run classifier\`, which also learns the weights of words anew. A route with \`byRole\` or \`byKind\` ([configuration.md](configuration.md)) asks
what a request is for. Role and kind are found by headers that tools send, the editor, \`x-waybill-role\` and \`x-waybill-kind\`, the end of the name that
is asked for, and only then by the text, which this page is about. No model is asked, and no other route reads a text.

A text is read for terms of a list (\`server/routing/purpose/workTerms.ts\`) and for words whose weights were learnt (\`wordWeights.ts\`), without diacritics, so
that Vietnamese is read the same with and without them. Where a text says too little, the kind is the one that the conversation had, else balanced.

## How well

${lines.reduce((sum, set) => sum + set.tuning.length + set.judging.length, 0)} lines (\`test/unit/routing/purpose/labelled/\`), a third of each kind, are parted by a hash of their text: ${count('tuning')} to make rules and learn weights from, ${count('judging')} to judge
by. Lines that are nearly the same stand in one half. The lengths of the threshold are those that are best on the tuning half.

${accuracy(sets)}
The list of terms was made by the author of the first lines, who knew them all: its figures are too good. The lines *written later*, after the list was
closed, say what to expect of texts that are new, and of texts by other people expect less. A text alone seldom shows how hard a task is: use
headers, roles and names where they exist, and let \`byKind\` save on what is plainly small.

${confusion(sets.filter(({ later }) => !later), 'The first lines')}
${confusion(sets.filter(({ later }) => later), 'Lines written later')}
`;
}
