import path from 'node:path';
import type { ProtocolName } from '../../server/api/conversation.ts';
import type { SeenRequest, Turn } from './wires/wire.ts';

/** The file that the task is about, and what is wanted of it. */
export const taskFile = 'hello.txt';
export const before = 'Hello, wrold!\nThis line stays as it is: "quotes", a tab\there, and ümlauts.\n';
export const after = before.replace('wrold', 'world');
export const prompt = `In the file ${taskFile} the word "wrold" is misspelt. Correct it, and change nothing else.`;
/** What the model says when it is done; the agent must print it. */
export const farewell = 'The spelling in hello.txt is right now.';

/** Where a run of an agent takes place. */
export interface Place { home: string; folder: string }

/** A coding agent, how it runs without a person, and the answers of its model. */
export interface Agent {
  /** As "Connect a Tool…" and the ledger name it. */
  id: string;
  name: string;
  package: string;
  /** The agent's protocol, as "Connect a Tool…" sets it up. */
  protocol: ProtocolName;
  /** Path of the program, inside node_modules. */
  program: string;
  /** The program is a script for Node. */
  script: boolean;
  args: readonly string[];
  /** Variables beside HOME and the usual ones. They keep the agent off the network. */
  environment: Readonly<Record<string, string>>;
  /** Files of its home before it is connected. */
  files?: Readonly<Record<string, string>>;
  /** The agent sends an id of its conversation. */
  namesConversation: boolean;
  /** The route that it requests. */
  route: string;
  model(request: SeenRequest, place: Place): Turn;
}

type Call = NonNullable<Turn['calls']>[number];

const thinking = 'First look, then edit.';

const patch = `*** Begin Patch\n*** Update File: ${taskFile}\n@@\n-Hello, wrold!\n+Hello, world!\n*** End Patch\n`;

const codex: Omit<Agent, 'name' | 'route'> = {
  id: 'codex', package: '@openai/codex', protocol: 'openai-responses', program: '@openai/codex/bin/codex.js', script: true,
  args: ['exec', '--skip-git-repo-check', '--dangerously-bypass-approvals-and-sandbox', '-c', 'check_for_update_on_startup=false', '-c', 'analytics.enabled=false', prompt],
  environment: {}, namesConversation: true,
  model({ tools, results }, { folder }) {
    const offered = new Set(tools.map(tool => tool.name));
    if (offered.has('exec')) {
      return lookEditSay(results.length,
        [taskFile, 'notes.txt'].map(file => ({ name: 'exec', input: `text(await tools.exec_command({ cmd: "cat ${file}", workdir: ${JSON.stringify(folder)} }));\n` })),
        { name: 'exec', input: `text(await tools.apply_patch(${JSON.stringify(patch)}));\n` });
    }
    return lookEditSay(results.length,
      [taskFile, 'notes.txt'].map(file => ({ name: 'exec_command', input: { cmd: `cat ${file}`, workdir: folder } })),
      offered.has('apply_patch') ? { name: 'apply_patch', input: patch } : { name: 'exec_command', input: { cmd: `apply_patch <<'EOF'\n${patch}EOF\n`, workdir: folder } });
  },
};

export const agents: readonly Agent[] = [
  {
    id: 'claude-code', name: 'Claude Code', package: '@anthropic-ai/claude-code', protocol: 'anthropic-messages',
    program: '@anthropic-ai/claude-code/bin/claude.exe', script: false,
    args: ['-p', prompt, '--allowedTools', 'Read,Edit,Glob'],
    route: 'auto', namesConversation: true,
    environment: { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1', DISABLE_TELEMETRY: '1', DISABLE_ERROR_REPORTING: '1', DISABLE_AUTOUPDATER: '1' },
    model: ({ results }, { folder }) => lookEditSay(results.length,
      [{ name: 'Read', input: { file_path: path.join(folder, taskFile) } }, { name: 'Read', input: { file_path: path.join(folder, 'notes.txt') } }],
      { name: 'Edit', input: { file_path: path.join(folder, taskFile), old_string: 'wrold', new_string: 'world' } }),
  },
  // A model that the agent does not know gets functions only, and a patch goes through the shell.
  { ...codex, name: 'Codex CLI', route: 'auto' },
  // Routes with names of models that the agent knows: it then offers a free-text patch tool, or one free-text tool for JavaScript that calls all others.
  { ...codex, name: 'Codex CLI, free-text patch', route: 'gpt-5.5' },
  { ...codex, name: 'Codex CLI, code mode', route: 'gpt-6.1-sol' },
  {
    id: 'gemini-cli', name: 'Gemini CLI', package: '@google/gemini-cli', protocol: 'gemini',
    program: '@google/gemini-cli/bundle/gemini.js', script: true,
    args: ['--approval-mode', 'yolo', '-p', prompt],
    route: 'auto', namesConversation: false,
    environment: { GEMINI_CLI_TRUST_WORKSPACE: 'true' },
    files: { '.gemini/settings.json': '{ "privacy": { "usageStatisticsEnabled": false }, "general": { "enableAutoUpdate": false } }\n' },
    model: ({ results }, { folder }) => lookEditSay(results.length,
      [{ name: 'read_file', input: { file_path: path.join(folder, taskFile) } }, { name: 'read_file', input: { file_path: path.join(folder, 'notes.txt') } }],
      { name: 'replace', input: { file_path: path.join(folder, taskFile), instruction: 'Correct the spelling.', old_string: before.split('\n')[0] ?? '', new_string: after.split('\n')[0] ?? '' } }),
  },
  {
    id: 'opencode', name: 'OpenCode', package: 'opencode-ai', protocol: 'openai-chat',
    program: 'opencode-ai/bin/opencode.exe', script: false,
    args: ['run', prompt],
    route: 'auto', namesConversation: true,
    environment: { OPENCODE_DISABLE_AUTOUPDATE: '1', OPENCODE_DISABLE_MODELS_FETCH: '1', OPENCODE_DISABLE_LSP_DOWNLOAD: '1', OPENCODE_DISABLE_DEFAULT_PLUGINS: '1' },
    model: ({ results }, { folder }) => lookEditSay(results.length,
      [{ name: 'read', input: { filePath: path.join(folder, taskFile) } }, { name: 'read', input: { filePath: path.join(folder, 'notes.txt') } }],
      { name: 'edit', input: { filePath: path.join(folder, taskFile), oldString: 'wrold', newString: 'world' } }),
  },
];

/** Two calls at once, then one with an edit, then text. The number of results shows the step of the task. */
function lookEditSay(results: number, look: readonly Call[], edit: Call): Turn {
  if (results === 0) return { thinking, text: 'I read the two files.', calls: look };
  if (results === look.length) return { thinking: 'It is one word.', calls: [edit] };
  return { text: farewell };
}
