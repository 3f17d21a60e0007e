import { execute } from '@oclif/core';

// The bundle stands in <root>/lib; oclif finds the commands by the package.json of <root>.
await execute({ dir: import.meta.url });
