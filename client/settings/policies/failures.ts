import { partOfRoute, withField, withPart, type Policy } from './policy.ts';

export const afterCommitPolicy: Policy = {
  title: 'When a stream to a tool breaks off',
  fields: [{
    kind: 'choice', title: 'When a stream to a tool breaks off',
    values: [
      { label: 'Tell the tool', detail: "The tool gets its protocol's own error. VS Code's chat starts again in sight", change: settings => withField(settings, 'afterCommit', undefined), isOf: ({ afterCommit }) => afterCommit !== 'resume' },
      {
        label: 'Go on with the next model', detail: 'It continues from what was said, unless a tool call was handed over. Answers are rewritten on their way',
        change: settings => withField(settings, 'afterCommit', 'resume'), isOf: ({ afterCommit }) => afterCommit === 'resume',
      },
    ],
  }],
};

export const hedgePolicy: Policy = {
  title: 'When the first model takes long to begin',
  unset: 'Ask a second model for inline completions',
  fields: [
    {
      kind: 'choice', title: 'When the first model takes long to begin',
      values: [
        { label: 'Ask a second model for inline completions', detail: 'The first to begin answers. Every other request waits for its first model', change: settings => withPart(settings, 'hedge', 'enabled', undefined), isOf: ({ hedge }) => hedge?.enabled === undefined },
        { label: 'Ask a second model for every request', detail: 'The first to begin answers. Both are paid for, up to a daily cap', change: settings => withPart(settings, 'hedge', 'enabled', true), isOf: ({ hedge }) => hedge?.enabled === true },
        { label: 'Wait', detail: 'A second model is asked only when the first one fails', change: settings => withPart(settings, 'hedge', 'enabled', false), isOf: ({ hedge }) => hedge?.enabled === false },
      ],
    },
    {
      kind: 'number', title: 'Wait before the second', prompt: 'How long to wait for the first token', unit: 's', perUnit: 1000, whole: true, min: 0.01, max: 600,
      unset: 'as long as 95 of 100 first tokens take', shown: ({ hedge }) => hedge?.enabled !== false, ...partOfRoute('hedge', 'afterMs'),
    },
    {
      kind: 'number', title: 'Daily cap', prompt: 'What second requests of this route may cost a day, in US dollars', unit: 'US dollars', min: 0, max: 100_000,
      unset: '1 US dollar', shown: ({ hedge }) => hedge?.enabled !== false, ...partOfRoute('hedge', 'dailyCapUsd'),
    },
  ],
};

export const refusalPolicy: Policy = {
  title: 'When a model refuses for content policy',
  fields: [{
    kind: 'choice', title: 'When a model refuses for content policy',
    values: [
      { label: 'Show the refusal', detail: 'As the model gave it', change: settings => withField(settings, 'onRefusal', undefined), isOf: ({ onRefusal }) => onRefusal !== 'ask' },
      { label: 'Ask me', detail: "VS Code's chat asks whether the next model may try", change: settings => withField(settings, 'onRefusal', 'ask'), isOf: ({ onRefusal }) => onRefusal === 'ask' },
    ],
  }],
};
