/**
 * An extension that does what an agent of the editor does: it reads the list of tools and calls some. The command reads `calls.json` in
 * the open folder ([{ name, input }]), and writes `answers.json` there: the names of the tools, and of each call its texts or its error.
 */
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const vscode = require('vscode');

exports.activate = (context) => {
  context.subscriptions.push(vscode.commands.registerCommand('toolCaller.call', async () => {
    const folder = vscode.workspace.workspaceFolders[0].uri.fsPath;
    const answers = [];
    for (const { name, input } of JSON.parse(readFileSync(path.join(folder, 'calls.json'), 'utf8'))) {
      try {
        const { content } = await vscode.lm.invokeTool(name, { input, toolInvocationToken: undefined });
        answers.push({ texts: content.map(part => part.value) });
      } catch (error) {
        answers.push({ error: error.message });
      }
    }
    const tools = vscode.lm.tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema }));
    writeFileSync(path.join(folder, 'answers.draft'), JSON.stringify({ tools, answers }));
    renameSync(path.join(folder, 'answers.draft'), path.join(folder, 'answers.json'));
  }));
};
