// npm's node-bacnet asks a device who it is and reads the name of its device object: node bacnet_client.js HOST TARGET
'use strict';

const Bacnet = require('node-bacnet');

const [host, target] = process.argv.slice(2);
const bacnet = new Bacnet({ interface: host, port: 0, broadcastAddress: host, apduTimeout: 5000 });

bacnet.on('iAm', ({ payload }) => {
  const device = { type: Bacnet.enum.ObjectType.DEVICE, instance: payload.deviceId };
  bacnet.readProperty({ address: target }, device, Bacnet.enum.PropertyIdentifier.OBJECT_NAME, {}, (error, answer) => {
    console.log(JSON.stringify({ instance: payload.deviceId, name: error ? error.message : answer.values[0].value }));
    bacnet.close();
    process.exit(0);
  });
});
bacnet.on('listening', () => bacnet.whoIs({ address: target }));
