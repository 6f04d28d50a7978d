//! The stand-in Expensify server (contract expensify, all sections).
