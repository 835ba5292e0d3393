// npm's modbus-serial as a Modbus TCP server on 127.0.0.1: unit 5 only, holding registers 0 to 99, coils 0 to 31.
// node modbus_server.js PORT; ends when its stdin does.
"use strict";
const { ServerTCP } = require("modbus-serial");

const registers = new Array(100).fill(0).map((_, index) => index);
const coils = new Array(32).fill(false);

function there(table, address) {
  if (address >= table.length) throw { modbusErrorCode: 2 };
  return address;
}

const vector = {
  getHoldingRegister: (address) => registers[there(registers, address)],
  getInputRegister: (address) => registers[there(registers, address)],
  getCoil: (address) => coils[there(coils, address)],
  getDiscreteInput: (address) => coils[there(coils, address)],
  setRegister: (address, value) => { registers[there(registers, address)] = value; },
  setCoil: (address, value) => { coils[there(coils, address)] = value; },
};

const server = new ServerTCP(vector, { host: "127.0.0.1", port: Number(process.argv[2]), unitID: 5 });
server.on("initialized", () => console.log("ready"));
server.on("socketError", () => {});
process.stdin.on("end", () => process.exit(0)).resume();
