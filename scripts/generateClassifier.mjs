// `npm run classifier`: learns the weights of words, and writes docs/classifier.md with what reading a text takes on this machine.
import { readFileSync, writeFileSync } from 'node:fs';
import { classifierReference, learntWeights, weightsModule } from './classifierReference.mjs';
import { classifierCost } from '../test/bench/classifierCost.ts';

const page = new URL('../docs/classifier.md', import.meta.url);
const weights = new URL('../server/routing/purpose/wordWeights.ts', import.meta.url);
const table = weightsModule(learntWeights());
if (readFileSync(weights, 'utf8') !== table) writeFileSync(weights, table);
writeFileSync(page, classifierReference() + classifierCost());
