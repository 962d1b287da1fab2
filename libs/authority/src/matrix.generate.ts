import { commandMatrix } from './matrix.ts';

// Role × command as golden text: reviewers read a diff of permissions, not of rules.
process.stdout.write(JSON.stringify({ 'libs/authority/commands.matrix.txt': commandMatrix() }));
