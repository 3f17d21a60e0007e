import { execute } from '@oclif/core';

// The bundle stands in <root>/lib; oclif finds the commands by the package.json of <root>. Not awaited: oclif ends
// the process by itself, and Node warns of a module that is still waiting then.
void execute({ dir: import.meta.url });
