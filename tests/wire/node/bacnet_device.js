// A BACnet/IP device on npm's node-bacnet: four objects, priority arrays, notifications of changes.
// node bacnet_device.js HOST PORT. Each line on standard input is a change: {"object": [1, 1], "value": 5, "slot": 8},
// where a slot of 0 is the value beneath the slots; "done" says that it is made. Prints "ready", then each write as JSON.
'use strict';

const readline = require('readline');
const Bacnet = require('node-bacnet');

const { ApplicationTag, ConfirmedServiceChoice, ErrorClass, ErrorCode, ObjectType, PropertyIdentifier, ASN1_ARRAY_ALL } =
  Bacnet.enum;
const [host, port] = [process.argv[2], Number(process.argv[3])];
const INSTANCE = 4711;

const real = (value) => ({ type: ApplicationTag.REAL, value });
const enumerated = (value) => ({ type: ApplicationTag.ENUMERATED, value });
const unsigned = (value) => ({ type: ApplicationTag.UNSIGNED_INTEGER, value });
const text = (value) => ({ type: ApplicationTag.CHARACTER_STRING, value });
const truth = (value) => ({ type: ApplicationTag.BOOLEAN, value });
const flags = (byte) => ({ type: ApplicationTag.BIT_STRING, value: { bitsUsed: 4, value: [byte] } });
const NULL = { type: ApplicationTag.NULL, value: null };

const SPELT = {
  [ObjectType.ANALOG_INPUT]: real,
  [ObjectType.ANALOG_OUTPUT]: real,
  [ObjectType.BINARY_OUTPUT]: enumerated,
  [ObjectType.MULTI_STATE_VALUE]: unsigned,
};

function made(type, instance, name, beneath, more = {}) {
  const slots = type === ObjectType.ANALOG_INPUT ? null : Array(16).fill(null);
  return { id: { type, instance }, name, beneath, slots, more };
}

const objects = [
  made(ObjectType.ANALOG_INPUT, 1, 'Supply Water Temp', 6.5, { [PropertyIdentifier.UNITS]: [enumerated(62)] }),
  made(ObjectType.ANALOG_OUTPUT, 1, 'Setpoint', 7, { [PropertyIdentifier.UNITS]: [enumerated(62)] }),
  made(ObjectType.BINARY_OUTPUT, 1, 'Pump', 0, {
    [PropertyIdentifier.INACTIVE_TEXT]: [text('stop')],
    [PropertyIdentifier.ACTIVE_TEXT]: [text('run')],
  }),
  made(ObjectType.MULTI_STATE_VALUE, 1, 'Mode', 1, {
    [PropertyIdentifier.STATE_TEXT]: ['off', 'auto', 'on'].map(text),
    [PropertyIdentifier.NUMBER_OF_STATES]: [unsigned(3)],
  }),
];
const device = { id: { type: ObjectType.DEVICE, instance: INSTANCE }, name: 'Chiller Gateway' };
const subscriptions = new Map();

const find = (id) =>
  id.type === ObjectType.DEVICE && [INSTANCE, 4194303].includes(id.instance)
    ? device
    : objects.find((each) => each.id.type === id.type && each.id.instance === id.instance);

function present(object) {
  const held = (object.slots || []).find((slot) => slot !== null);
  return SPELT[object.id.type](held === undefined ? object.beneath : held);
}

function ofDevice(property) {
  switch (property) {
    case PropertyIdentifier.OBJECT_IDENTIFIER:
      return [{ type: ApplicationTag.OBJECTIDENTIFIER, value: device.id }];
    case PropertyIdentifier.OBJECT_NAME:
      return [text(device.name)];
    case PropertyIdentifier.VENDOR_NAME:
      return [text('Node')];
    case PropertyIdentifier.MODEL_NAME:
      return [text('Gateway 4')];
    case PropertyIdentifier.MAX_APDU_LENGTH_ACCEPTED:
      return [unsigned(1476)];
    case PropertyIdentifier.OBJECT_LIST:
      return [device, ...objects].map((each) => ({ type: ApplicationTag.OBJECTIDENTIFIER, value: each.id }));
    default:
      return undefined;
  }
}

function valueOf(object, property) {
  if (object === device) return ofDevice(property);
  switch (property) {
    case PropertyIdentifier.PRESENT_VALUE:
      return [present(object)];
    case PropertyIdentifier.OBJECT_NAME:
      return [text(object.name)];
    case PropertyIdentifier.STATUS_FLAGS:
      return [flags(0)];
    case PropertyIdentifier.OUT_OF_SERVICE:
      return [truth(false)];
    case PropertyIdentifier.PRIORITY_ARRAY:
      return object.slots ? object.slots.map((slot) => (slot === null ? { ...NULL } : SPELT[object.id.type](slot))) : undefined;
    case PropertyIdentifier.RELINQUISH_DEFAULT:
      return object.slots ? [SPELT[object.id.type](object.beneath)] : undefined;
    default:
      return object.more[property];
  }
}

function element(values, index) {
  if (values === undefined || index === ASN1_ARRAY_ALL) return values;
  return index === 0 ? [unsigned(values.length)] : values[index - 1] && [values[index - 1]];
}

function tell(object) {
  for (const { sender, process, object: subscribed } of subscriptions.values()) {
    if (subscribed !== object) continue;
    const values = [
      { property: { id: PropertyIdentifier.PRESENT_VALUE }, value: [present(object)] },
      { property: { id: PropertyIdentifier.STATUS_FLAGS }, value: [flags(0)] },
    ];
    bacnet.confirmedCOVNotification(sender, object.id, process, INSTANCE, 60, values, {}, () => {});
  }
}

const bacnet = new Bacnet({ interface: host, port, broadcastAddress: host, apduTimeout: 2000 });

bacnet.on('whoIs', ({ header }) => bacnet.iAmResponse(header.sender, INSTANCE, Bacnet.enum.Segmentation.NO_SEGMENTATION, 999));

bacnet.on('readProperty', ({ header, invokeId, payload }) => {
  const object = find(payload.objectId);
  const value = object && element(valueOf(object, payload.property.id), payload.property.index);
  if (value === undefined) {
    const error = object
      ? [ErrorClass.PROPERTY, ErrorCode.UNKNOWN_PROPERTY]
      : [ErrorClass.OBJECT, ErrorCode.UNKNOWN_OBJECT];
    bacnet.errorResponse(header.sender, ConfirmedServiceChoice.READ_PROPERTY, invokeId, ...error);
  } else {
    bacnet.readPropertyResponse(header.sender, invokeId, object.id, payload.property, value);
  }
});

bacnet.on('readPropertyMultiple', ({ header, invokeId, payload }) => {
  const failed = (errorClass, errorCode) => [{ value: { type: 'BacnetError', errorClass, errorCode } }];
  const answers = payload.properties.map(({ objectId, properties }) => {
    const object = find(objectId);
    const values = properties.map((property) => {
      const value = object && element(valueOf(object, property.id), property.index);
      if (value !== undefined) return { property, value };
      return {
        property,
        value: object
          ? failed(ErrorClass.PROPERTY, ErrorCode.UNKNOWN_PROPERTY)
          : failed(ErrorClass.OBJECT, ErrorCode.UNKNOWN_OBJECT),
      };
    });
    return { objectId, values };
  });
  bacnet.readPropertyMultipleResponse(header.sender, invokeId, answers);
});

bacnet.on('writeProperty', ({ header, invokeId, payload }) => {
  const object = find(payload.objectId);
  const { value, priority } = payload.value;
  if (!object || !object.slots || payload.value.property.id !== PropertyIdentifier.PRESENT_VALUE) {
    bacnet.errorResponse(
      header.sender,
      ConfirmedServiceChoice.WRITE_PROPERTY,
      invokeId,
      ErrorClass.PROPERTY,
      ErrorCode.WRITE_ACCESS_DENIED
    );
    return;
  }
  const written = value[0].type === ApplicationTag.NULL ? null : value[0].value;
  object.slots[priority - 1] = written;
  bacnet.simpleAckResponse(header.sender, ConfirmedServiceChoice.WRITE_PROPERTY, invokeId);
  console.log(JSON.stringify({ object: [object.id.type, object.id.instance], type: value[0].type, value: written, priority }));
  tell(object);
});

bacnet.on('subscribeCov', ({ header, invokeId, payload }) => {
  const object = find(payload.monitoredObjectId);
  if (!object) {
    bacnet.errorResponse(
      header.sender,
      ConfirmedServiceChoice.SUBSCRIBE_COV,
      invokeId,
      ErrorClass.OBJECT,
      ErrorCode.UNKNOWN_OBJECT
    );
    return;
  }
  const key = `${header.sender.address} ${payload.subscriberProcessId} ${object.name}`;
  subscriptions.set(key, { sender: header.sender, process: payload.subscriberProcessId, object });
  bacnet.simpleAckResponse(header.sender, ConfirmedServiceChoice.SUBSCRIBE_COV, invokeId);
  tell(object);
});

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { object: [type, instance], value, slot } = JSON.parse(line);
  const object = find({ type, instance });
  if (slot) object.slots[slot - 1] = value;
  else object.beneath = value;
  console.log('done');
  tell(object);
}).on('close', () => process.exit(0));

bacnet.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
bacnet.on('listening', () => console.log('ready'));
