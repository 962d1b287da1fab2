// Imported first by every attack that would harm a machine: it ends the attack unless it runs in a sandbox. Both signs
// are needed, since an orphan may have the first process as its parent anywhere.
import { existsSync } from 'node:fs';

if (process.ppid !== 1 || !existsSync('/opt/proviso/warden/warden.pl')) {
  console.error('expected to be inside a sandbox: this attack is not for your machine');
  process.exit(1);
}
