//! The HTTP toolkit: caller, route table, problems, paging, live socket, console.
