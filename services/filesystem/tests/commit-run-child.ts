import { brandId, type RunId, randomIds } from '@spanwise/kernel';
import { openDatabase } from '@spanwise/persistence';
import { DescriptorFolder } from '../src/infrastructure/disks/local/descriptor-folder.ts';
import { LocalDisk } from '../src/infrastructure/disks/local/local-disk.ts';
import { migrations } from '../src/infrastructure/persistence/migrations.ts';
import { ViewRecord } from '../src/infrastructure/persistence/view-record.ts';
import { killingDatabase } from './killing-database.ts';
import { layersFixture } from './layers-fixture.ts';

// Publishes a run in a process of its own, which is killed before a statement of its choice.
const [url = '', name = '', folder = '', viewId = '', steps = ''] = process.argv.slice(2);
const database = await openDatabase({ url, entities: [ViewRecord], migrations, service: 'filesystem' });
const far = new LocalDisk({ name: 'far', root: await DescriptorFolder.openRoot(folder), ids: randomIds() });
const first = killingDatabase(database, Number(steps));
const files = await layersFixture({ first: database }, { name, disks: new Map([['far', far]]) });
const killed = await layersFixture({ first }, { name, disks: new Map([['far', far]]) });
const answer = await killed.view(brandId<RunId>(viewId), '').commit();
process.stdout.write(answer.result);
await files.tree.head();
await database[Symbol.asyncDispose]();
await far[Symbol.asyncDispose]();
