// An OPC UA server that nobody of Tidewatt wrote, on node-opcua: signed and encrypted, with users and a few variables.
//
//   node opcua_server.js '{"port": 4840, "folder": "F", "certificate": "own.pem", "privateKey": "own.key.pem",
//                          "trusted": ["client.pem"]}'
//
// Says "ready" once it listens. Each line that it reads is {"node": NAME, "value": V, "status": NAME, "source": ISO},
// which it answers by "done"; the end of its input ends it. It needs no network but loopback.

globalThis.crypto ??= require("node:crypto").webcrypto; // Node 18, which Debian 12 has, hides it

const fs = require("node:fs");
const path = require("node:path");
const readline = require("node:readline");

const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { OPCUAServer, RegisterServerMethod } = require("node-opcua-server");
const { MessageSecurityMode, SecurityPolicy } = require("node-opcua-secure-channel");
const { StatusCodes } = require("node-opcua-status-code");
const { DataType, Variant } = require("node-opcua-variant");
const { setLogLevel, LogLevel } = require("node-opcua-debug");

const options = JSON.parse(process.argv[2]);
const [SUPPLY, SETPOINT, RUN, MODE, LABEL, COUNT] = ["SupplyTemperature", "Setpoint", "Run", "Mode", "Label", "Count"];

function setUp(server) {
    const space = server.engine.addressSpace;
    const own = space.registerNamespace("urn:wire:plant");
    const chiller = own.addObject({ organizedBy: space.rootFolder.objects, browseName: "Chiller1", nodeId: "s=Chiller1" });
    const add = (name, dataType, value, writable) =>
        own.addVariable({
            componentOf: chiller,
            browseName: name,
            nodeId: `s=Chiller1.${name}`,
            dataType,
            accessLevel: writable ? "CurrentRead | CurrentWrite" : "CurrentRead",
            userAccessLevel: writable ? "CurrentRead | CurrentWrite" : "CurrentRead",
            value: new Variant({ dataType: DataType[dataType], value }),
        });
    const supply = own.addAnalogDataItem({
        componentOf: chiller,
        browseName: SUPPLY,
        nodeId: `s=Chiller1.${SUPPLY}`,
        dataType: "Double",
        engineeringUnitsRange: { low: -50, high: 150 },
        engineeringUnits: { displayName: "°C", description: "degree Celsius", unitId: 4408652 },
        value: new Variant({ dataType: DataType.Double, value: 7.5 }),
    });
    const mode = own.addMultiStateDiscrete({
        componentOf: chiller,
        browseName: MODE,
        nodeId: `s=Chiller1.${MODE}`,
        enumStrings: ["standby", "cooling", "heating"],
        value: 1,
    });
    return {
        [SUPPLY]: supply,
        [SETPOINT]: add(SETPOINT, "Float", 7.0, true),
        [RUN]: add(RUN, "Boolean", false, true),
        [MODE]: mode,
        [LABEL]: add(LABEL, "String", "north", true),
        [COUNT]: add(COUNT, "Byte", 3, true),
    };
}

async function main() {
    setLogLevel?.(LogLevel.Emergency);
    const store = new OPCUACertificateManager({
        rootFolder: path.join(options.folder, "pki"),
        automaticallyAcceptUnknownCertificate: false,
        disableFileWatchers: true,
    });
    await store.initialize();
    for (const file of options.trusted) {
        const base64 = fs.readFileSync(file, "utf8").replace(/-----[^-]+-----|\s/g, "");
        await store.trustCertificate(Buffer.from(base64, "base64"));
    }
    const server = new OPCUAServer({
        host: "127.0.0.1",
        hostname: "127.0.0.1",
        port: options.port,
        certificateFile: options.certificate,
        privateKeyFile: options.privateKey,
        serverCertificateManager: store,
        userCertificateManager: store,
        securityPolicies: [SecurityPolicy.Basic256Sha256, SecurityPolicy.Aes128_Sha256_RsaOaep, SecurityPolicy.Aes256_Sha256_RsaPss],
        securityModes: [MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
        allowAnonymous: false,
        registerServerMethod: RegisterServerMethod.HIDDEN,
        serverInfo: { applicationUri: "urn:wire:server" },
        userManager: { isValidUser: (user, password) => user === "tidewatt" && password === "right" },
        serverCapabilities: { operationLimits: { maxNodesPerRead: 4, maxMonitoredItemsPerCall: 4 } },
    });
    await server.initialize();
    const nodes = setUp(server);
    await server.start();
    console.log("ready");
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const { node, value, status, source } = JSON.parse(line);
        const { dataType } = nodes[node].readValue().value;
        const at = source ? new Date(source) : new Date();
        nodes[node].setValueFromSource(new Variant({ dataType, value }), StatusCodes[status ?? "Good"], at);
        console.log("done");
    }
    await server.shutdown(0);
    process.exit(0);
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
