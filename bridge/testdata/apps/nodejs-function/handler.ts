import { greet, type Greeting } from './greet';

export const handler = async (event: { name?: string }): Promise<Greeting> => greet(event.name ?? process.env.WHO ?? 'nobody');

export const small = async (): Promise<number> => 1;
