#define ELEMENTS 64
