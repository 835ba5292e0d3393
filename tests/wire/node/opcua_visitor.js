// node-opcua as a person with a tool: node opcua_visitor.js URL PREFIX. Takes a lamp group, is refused what cannot be,
// and prints what it saw as one line of JSON.
"use strict";

globalThis.crypto ??= require("node:crypto").webcrypto; // Node 18, which Debian 12 has, hides it

const { OPCUAClient } = require("node-opcua-client");
const { DataType } = require("node-opcua-variant");
const { setLogLevel, LogLevel } = require("node-opcua-debug");

setLogLevel(LogLevel.Emergency);
const [url, prefix] = process.argv.slice(2);
const VALUE = 13;

async function visit(session) {
    const read = async (name) => {
        const found = await session.read({ nodeId: prefix + name, attributeId: VALUE });
        return [found.value.value, found.statusCode.name, DataType[found.value.dataType]];
    };
    const write = async (name, dataType, value) => {
        const status = await session.write({ nodeId: prefix + name, attributeId: VALUE, value: { value: { dataType, value } } });
        return status.name;
    };
    const before = await read("Group.Remote");
    const writes = [
        await write("Group.BrightnessCommand", DataType.Double, 40),
        await write("Group.BrightnessCommand", DataType.Double, 400),
        await write("Group.BrightnessCommand", DataType.Boolean, true),
        await write("Group.Brightness", DataType.Double, 40),
        await write("Group.Remote", DataType.Boolean, true),
    ];
    return { before, writes, after: await read("Group.Remote"), command: await read("Group.BrightnessCommand") };
}

(async () => {
    const client = OPCUAClient.create({ endpointMustExist: false, connectionStrategy: { maxRetry: 1 } });
    try {
        console.log(JSON.stringify(await client.withSessionAsync(url, visit)));
    } catch (error) {
        console.log(JSON.stringify({ error: String(error) }));
    }
    process.exit(0);
})();
