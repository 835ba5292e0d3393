// npm's node-bacnet as a person with a tool: reads binary-output 1, holds it by slot 8, looks, and lets go of it.
// node bacnet_visitor.js HOST TARGET. Prints what it saw as one line of JSON.
'use strict';

const Bacnet = require('node-bacnet');
const { ApplicationTag, ObjectType, PropertyIdentifier } = Bacnet.enum;

const [host, address] = process.argv.slice(2);
const bacnet = new Bacnet({ interface: host, port: 0, broadcastAddress: host, apduTimeout: 5000 });
const target = { type: ObjectType.BINARY_OUTPUT, instance: 1 };
const told = (call) =>
  new Promise((resolve, reject) => call((error, answer) => (error ? reject(error) : resolve(answer))));
const read = async (id) => {
  const answer = await told((done) => bacnet.readProperty({ address }, target, id, {}, done));
  return answer.values.map((each) => each.value);
};
const write = (value) =>
  told((done) =>
    bacnet.writeProperty({ address }, target, PropertyIdentifier.PRESENT_VALUE, [value], { priority: 8 }, done)
  );

bacnet.on('listening', async () => {
  try {
    const before = await read(PropertyIdentifier.PRESENT_VALUE);
    await write({ type: ApplicationTag.ENUMERATED, value: 1 });
    const held = await read(PropertyIdentifier.PRESENT_VALUE);
    const slots = await read(PropertyIdentifier.PRIORITY_ARRAY);
    await write({ type: ApplicationTag.NULL, value: null });
    const after = await read(PropertyIdentifier.PRIORITY_ARRAY);
    const name = await read(PropertyIdentifier.OBJECT_NAME);
    console.log(JSON.stringify({ before, held, slots, after, name }));
    process.exit(0);
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
    process.exit(1);
  }
});
