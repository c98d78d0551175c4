//! Phones on a virtual clock and a virtual radio, each running the very engine that ships.
//!
//! * [`scenario`]: who is where, when, with which phone, and who tests positive;
//! * [`radio`]: what a scan hears, with parameters measured on real phones;
//! * [`world`]: the event queue that runs the phones, the key server and the people;
//! * [`fidelity`]: how far the radio agrees with real phones;
//! * [`regression`]: the scenarios of the library, held against what must come of them;
//! * [`replay`]: real phones' HCI captures through the same engine;
//! * [`encounter_file`]: encounter logs as JSON lines;
//! * [`key_server`]: a key server over HTTP for tests;
//! * [`population`]: an epidemic, an app and a prefecture's beds, for millions of people.
//!
//! One seed gives one trace, byte for byte, on every machine.

pub mod encounter_file;
pub mod fidelity;
pub mod key_server;
pub mod population;
pub mod radio;
pub mod regression;
pub mod replay;
pub mod scenario;
pub mod world;
